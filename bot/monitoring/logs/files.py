"""Log lines from files: the newest ends of the files that a glob of the configuration names."""

import asyncio
import glob
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.core.check import Check, failed, ok
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.logs.line import LogLine
from bot.core.logs.parsing import read_line, without_secrets
from bot.core.text.untrusted import one_line

MAX_FILES = 20
"""Files read by one query, the most recently written first."""
MAX_TAIL = 8 * 1024 * 1024
"""Bytes read from the end of one file."""
_BLOCK = 64 * 1024


class FileLogs:
    """The Logs port over files; `globs` maps a service to the glob of its files. Compressed files are not read."""

    def __init__(self, globs: Mapping[str, str]) -> None:
        self._globs = dict(globs)

    async def search(
        self, service: str, text: str, *, start: datetime, end: datetime, limit: int, pod: str = ""
    ) -> list[LogLine]:
        """Lines of one service that hold the text, newest first; read in a thread. `pod` is the name of one file."""
        pattern = self._globs.get(service)
        if pattern is None:
            raise QueryFailed(f"no log files are configured for {service} (logs.files)")
        return await asyncio.to_thread(_search, pattern, text.casefold(), start, end, limit, pod)

    async def check(self) -> Check:
        """Whether every glob names a file that can be read."""
        empty = await asyncio.to_thread(lambda: [name for name, pattern in self._globs.items() if not _readable(pattern)])
        if empty:
            problem = f"no file that can be read for {one_line(', '.join(empty), 120)}"
            return failed("Log files", problem, "check the globs of logs.files, and who may read these files")
        return ok("Log files", f"of {len(self._globs)} services")

    def query(self, service: str, text: str, pod: str = "") -> str:
        """The files and the filter, as a shell would write them."""
        file = f" ({pod})" if pod else ""
        return f"{self._globs.get(service, 'no files')}{file}" + (f" (lines that hold {text!r})" if text else "")


def _search(pattern: str, needle: str, start: datetime, end: datetime, limit: int, name: str = "") -> list[LogLine]:
    files = _files(pattern)
    if not files:
        raise QueryFailed(f"no file matches {pattern} (logs.files)")
    if name and not (files := [path for path in files if name in (path.name, path.stem)]):
        raise InvalidQuery(f"no file of {pattern} is named {one_line(name, 60)}")
    lines: list[LogLine] = []
    try:
        for path in files:
            # A file last written before the window holds no line of it.
            if path.stat().st_mtime >= start.timestamp():
                lines += _matching(path, needle, start, end, limit)
    except OSError as error:
        raise QueryFailed(f"{pattern} cannot be read: {error.strerror}") from error
    return without_secrets(sorted(lines, key=lambda line: line.at, reverse=True)[:limit])


def _files(pattern: str) -> list[Path]:
    # Path.glob takes no absolute patterns, and these usually are.
    paths = [Path(name) for name in glob.iglob(pattern, recursive=True)]  # noqa: PTH207
    plain = [path for path in paths if path.is_file() and path.suffix not in (".gz", ".xz", ".zst", ".bz2")]
    return sorted(plain, key=lambda path: path.stat().st_mtime, reverse=True)[:MAX_FILES]


def _readable(pattern: str) -> bool:
    return any(os.access(path, os.R_OK) for path in _files(pattern))


def _matching(path: Path, needle: str, start: datetime, end: datetime, limit: int) -> list[LogLine]:
    """Matching lines of one file, newest first; a stack trace is part of the line above it."""
    matches: list[LogLine] = []
    following: list[str] = []
    newest = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    for text in _backwards(path):
        line = read_line(text, newest=newest)
        if line is None:
            following.append(text)
            continue
        whole = line.model_copy(update={"text": "\n".join([line.text, *reversed(following[-20:])])}) if following else line
        following = []
        if whole.at < start or len(matches) >= limit:
            break
        if whole.at <= end and needle in whole.text.casefold():
            matches.append(whole.model_copy(update={"pod": path.name}))
    return matches


def _backwards(path: Path) -> Iterator[str]:
    """The lines from the last to the first, read in blocks from the end, at most 8 MiB."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        first = max(0, position - MAX_TAIL)
        rest = b""
        while position > first:
            size = min(_BLOCK, position - first)
            position -= size
            file.seek(position)
            pieces = (file.read(size) + rest).split(b"\n")
            rest = pieces[0]
            yield from (piece.decode("utf-8", "replace").rstrip("\r") for piece in reversed(pieces[1:]) if piece.strip())
        if position == 0 and rest.strip():
            yield rest.decode("utf-8", "replace").rstrip("\r")
