"""Own processes: started with their output in a file, found ready by their answers, ended by their pid.

Nothing waits for a time to pass: `until` asks again and again, and says what it asked when the time is up.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import httpx

from tests.real import PATIENCE, missing

EVERY = 0.05
# One client for all that is asked many times a second: making one costs as much as a hundred questions.
_ASKING = httpx.Client(timeout=10, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def binary(name: str) -> str:
    """The path of a program; without it the test is skipped with its name, and fails where CI=true."""
    return shutil.which(name) or missing(name)


def until(look: Callable[[], Any], seconds: float, what: str, *, every: float = EVERY) -> Any:
    """The first true answer of `look`. Raises AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
    return found


def answers(url: str, status: int = 200) -> bool:
    """Whether an address answers with this status now."""
    try:
        return _ASKING.get(url).status_code == status
    except httpx.HTTPError:
        return False


class Running(Protocol):
    """What is needed of a running child."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Process:
    """One child process; `started` are all since the last report, for the report of a failed test."""

    started: ClassVar["list[Process]"] = []

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name, self.command, self.folder = name, list(command), folder
        self.environment = None if environment is None else dict(environment)
        self.log = folder / f"{name}.log"
        self.starts = 0
        self._popen: Running | None = None

    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start it (again); its output is added to the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._popen = self._begin()
        self.starts += 1
        if self not in Process.started:
            Process.started.append(self)

    def _begin(self) -> Running:
        with self.log.open("ab") as log:
            return subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ready(self, url: str, seconds: float = PATIENCE) -> float:
        """Wait for a 200 of `url`; the seconds it took. Raises AssertionError with the log's end if it ended or was late."""
        began = time.monotonic()
        try:
            until(lambda: answers(url) or not self.alive, seconds, f"{self.name} at {url}")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.tail()}") from None
        if not self.alive:
            raise AssertionError(f"{self.name} ended with {self.exit_code}:\n{self.tail()}")
        return time.monotonic() - began

    @property
    def exit_code(self) -> int | None:
        return None if self._popen is None else self._popen.poll()

    def kill(self) -> None:
        """SIGKILL, without a word."""
        if self.alive:
            assert self._popen is not None
            self._popen.kill()
            self._popen.wait(PATIENCE)

    def stop(self, patience: float = 25) -> None:
        """SIGTERM, and SIGKILL if that does not end it in time."""
        if self.alive:
            assert self._popen is not None
            self._popen.terminate()
            try:
                self._popen.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def tail(self, size: int = 4000) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - size))
            return log.read().decode("utf-8", "replace")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without anything that configures a bot or a model, and `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_", "OPENAI_")) and "PROXY" not in k.upper()}
    return {**kept, **more}
