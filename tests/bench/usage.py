"""What a process and its children used, from /proc: CPU seconds and resident memory. Linux only."""

import os
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for one in found:
        for tasks in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in _read(tasks).split()]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, of children that ended included."""
    return sum(_ticks(one) for one in tree(pid)) / _TICK


def memory_mb(pid: int) -> float:
    """Resident megabytes of the tree; pages that two processes share count twice."""
    return sum(int((_read(Path(f"/proc/{one}/statm")).split() or ["0", "0"])[1]) for one in tree(pid)) * _PAGE_MB


def written_bytes(pid: int) -> int:
    """Bytes that the tree has handed to the disk."""
    lines = [line.split(": ") for one in tree(pid) for line in _read(Path(f"/proc/{one}/io")).splitlines()]
    return sum(int(value) for name, value in lines if name == "write_bytes")


def idle(pid: int, seconds: float = 60) -> None:
    """Wait until the tree hardly works any more: imports after the start, or what an earlier load set off."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = cpu_seconds(pid)
        time.sleep(1)
        if cpu_seconds(pid) - before < 0.15:
            return


def _ticks(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def load_average() -> float:
    """How busy the machine is, over the last minute."""
    return os.getloadavg()[0]
