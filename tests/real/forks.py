"""Processes that begin with their code already loaded: forked from one that has imported it and done nothing else.

A bot needs two seconds of processor time for its imports. Where it is killed a hundred times, that is most of what a
machine would do. Memory, files, sockets and signals are a new process's own; only the import is not repeated.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.real.processes import Process

_SERVER = get_context("forkserver")


class ForkedProcess(Process):
    """A Process that calls `target(*arguments)`, an importable function; `loaded` are the modules imported before the fork.

    One server forks for the whole test run: `loaded` must be the same for all.
    """

    def __init__(
        self,
        name: str,
        target: Callable[..., None],
        arguments: Sequence[Any],
        folder: Path,
        environment: Mapping[str, str],
        *,
        loaded: Sequence[str],
    ) -> None:
        super().__init__(name, [], folder, environment)
        self._call = (target, tuple(arguments))
        _SERVER.set_forkserver_preload(list(loaded))

    def _begin(self) -> "_Child":
        return _Child(_SERVER.Process(target=_enter, args=(self.log, self.environment, *self._call), daemon=True))


class _Child:
    """What Process needs of a Popen. A death is read once from a pipe, and two threads ask: hence the lock."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process, self._lock = process, threading.Lock()
        process.start()
        self.pid = process.pid
        self.terminate, self.kill = process.terminate, process.kill

    def poll(self) -> int | None:
        with self._lock:
            return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return code


def _enter(log: Path, environment: Mapping[str, str], target: Callable[..., None], arguments: Sequence[Any]) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)
