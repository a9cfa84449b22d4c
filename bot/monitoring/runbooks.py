"""The runbooks: a folder of Markdown files, searched by their words and read by their id, never by a path.

The folder may be a git checkout or lie in one: after a pull it is read again, and hits link to the commit.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bot.core.errors import QueryFailed
from bot.core.questions.retrieval import Ranking, best_passage
from bot.core.redaction.redaction import redact
from bot.core.systems import RunbookHit
from bot.monitoring.checkout import page_base

MAX_FILES = 2_000
MAX_BYTES = 256 * 1024
"""Of one runbook; the rest of a longer one is not read."""

_Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of change (ns) and size of every file: differs when anything has changed."""


@dataclass(frozen=True)
class _Book:
    id: str
    title: str
    text: str
    link: str = ""


@dataclass(frozen=True)
class _Contents:
    stamp: _Stamp = ()
    books: Mapping[str, _Book] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Folded id, file name or title -> id."""
    ranking: Ranking = field(default_factory=lambda: Ranking({}))


class RunbookFolder:
    """The RunbookReader over a folder. An id is the file's path in the folder without `.md`, e.g. `db/SlowQueries`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contents = _Contents()
        self._loading = asyncio.Lock()

    async def search(self, text: str, limit: int = 3) -> list[RunbookHit]:
        """The runbooks that fit best, best first; one whose name is the text's first line or word comes first with 1.0.

        The other similarities are the share of the text that the runbook holds, at most 0.99.
        """
        contents = await self._current()
        ranked = await asyncio.to_thread(contents.ranking.search, text, limit + 1)
        similarities = {id: round(min(0.99, similarity), 3) for id, similarity in ranked}
        exact = _exact(contents, text)
        if exact:
            similarities = {exact: 1.0} | {id: similarity for id, similarity in similarities.items() if id != exact}
        return [_hit(contents.books[id], text, similarity) for id, similarity in list(similarities.items())[:limit]]

    async def read(self, id: str) -> str | None:
        """The whole Markdown; None if no runbook has this id."""
        book = (await self._current()).books.get(id)
        return book.text if book else None

    async def _current(self) -> _Contents:
        """The runbooks as the files are now. Raises QueryFailed if the folder cannot be read."""
        async with self._loading:
            try:
                stamp = await asyncio.to_thread(_stamp, self._folder)
                if stamp != self._contents.stamp:
                    self._contents = await asyncio.to_thread(_load, self._folder, stamp)
            except OSError as error:
                raise QueryFailed(f"the runbooks cannot be read: {error.strerror} ({self._folder.name})") from error
            return self._contents


def _stamp(folder: Path) -> _Stamp:
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    root = folder.resolve()
    files: list[tuple[str, int, int]] = []
    for path in sorted(folder.rglob("*.md")):
        # Folders of git and its hosts (.git, .github) hold no runbooks; a link must not lead out of the folder.
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if len(files) < MAX_FILES and not hidden and path.resolve().is_relative_to(root) and path.is_file():
            status = path.stat()
            files.append((path.relative_to(folder).as_posix(), status.st_mtime_ns, status.st_size))
    return tuple(files)


def _load(folder: Path, stamp: _Stamp) -> _Contents:
    base = page_base(folder)
    books = {book.id: book for book in (_read(folder, name, base) for name, _, _ in stamp)}
    # Titles last: a page that was copied often keeps the title of the page it was copied from.
    ids, files, titles = ({_folded(name(book)): book.id for book in books.values()} for name in (_by_id, _by_file, _by_title))
    names = titles | files | ids
    return _Contents(stamp, books, names, Ranking({book.id: f"{book.title}\n{book.text}" for book in books.values()}))


def _by_id(book: _Book) -> str:
    return book.id


def _by_file(book: _Book) -> str:
    return book.id.rsplit("/", 1)[-1]


def _by_title(book: _Book) -> str:
    return book.title


def _read(folder: Path, name: str, base: str) -> _Book:
    with (folder / name).open("rb") as file:
        # Whole, since a private key spans lines that are handed out one by one.
        text = redact(file.read(MAX_BYTES).decode("utf-8", "replace"))
    id = name.removesuffix(".md")
    return _Book(id=id, title=_title(text) or id, text=text, link=base + quote(name) if base else "")


def _title(text: str) -> str:
    """The first heading, else the `title:` of the front matter that site generators put before it."""
    lines = text.splitlines()
    heading = next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), "")
    if heading or lines[:1] != ["---"]:
        return heading
    named = (line.partition(":")[2] for line in lines[1:20] if line.startswith("title:"))
    return next(named, "").strip().strip("\"'")


def _exact(contents: _Contents, text: str) -> str | None:
    lines = text.strip().splitlines()
    first = lines[0] if lines else ""
    word = first.split(maxsplit=1)[0] if first.split() else ""
    return contents.names.get(_folded(first)) or contents.names.get(_folded(word))


def _folded(name: str) -> str:
    """Letters and digits alone: `HighErrorRate`, `high-error-rate` and `High error rate` are one name."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _hit(book: _Book, text: str, similarity: float) -> RunbookHit:
    return RunbookHit(
        id=book.id, title=book.title, passage=best_passage(book.text, text), similarity=similarity, link=book.link
    )
