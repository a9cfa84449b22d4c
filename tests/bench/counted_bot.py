"""`python -m tests.bench.counted_bot FILE`: `tocsin serve`, which counts the statements of all its databases in FILE."""

import itertools
import mmap
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, event

BYTES = 8


class Statements:
    """The counter of a bot that runs with `command`. The file lies in memory, so that counting writes nothing to the disk."""

    def __init__(self, name: str) -> None:
        self.path = Path("/dev/shm") / name
        self.path.write_bytes(bytes(BYTES))

    @property
    def command(self) -> Sequence[str]:
        """How the bot is started."""
        return (sys.executable, "-m", "tests.bench.counted_bot", str(self.path))

    def count(self) -> int:
        """How many there were until now."""
        return int.from_bytes(self.path.read_bytes(), "little")

    def close(self) -> None:
        self.path.unlink()


def _count_into(path: Path) -> None:
    numbers = itertools.count(1)
    with path.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), BYTES)

    def count(*_: object) -> None:
        memory[:] = next(numbers).to_bytes(BYTES, "little")

    event.listen(Engine, "before_cursor_execute", count)


if __name__ == "__main__":
    _count_into(Path(sys.argv.pop(1)))
    sys.argv.append("serve")
    from bot.cli import main

    main()
