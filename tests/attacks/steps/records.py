"""The bot's database from outside: read for the checks, written past the bot by whoever has its password."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


class Records:
    """One database. `url` is PostgreSQL's, or "" for `app.db` in the folder."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self._path, self._url = folder / "app.db", url
        self.postgres = bool(url)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        connection: Any = (
            psycopg.connect(self._url, autocommit=True, row_factory=dict_row)
            if self.postgres
            else sqlite3.connect(self._path, timeout=10, isolation_level=None)
        )
        try:
            if not self.postgres:
                connection.row_factory = sqlite3.Row
            yield connection
        finally:
            connection.close()

    def rows(self, query: str, *values: Any) -> list[Row]:
        """The rows of a query with `?` for its values; JSON columns are parsed where they are text of JSON."""
        with self._open() as connection:
            return [dict(row) for row in connection.execute(self._spelled(query), values).fetchall()]

    def change(self, statement: str, *values: Any) -> int:
        """Run a statement; how many rows it touched."""
        with self._open() as connection:
            return int(connection.execute(self._spelled(statement), values).rowcount)

    # ------------------------------------------------------------ what a holder of the database does

    def insert(self, table: str, row: Row) -> None:
        """One more row. Values of JSON columns are as they were read."""
        if self.postgres:
            raise LookupError("rows are copied on SQLite alone")
        marks = ", ".join("?" for _ in row)
        self.change(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())

    def save(self, name: str) -> None:
        """Keep the whole database as it is now, as an old backup would."""
        if self.postgres:
            raise LookupError("a copy is made of SQLite alone")
        with self._open() as connection, closing(sqlite3.connect(self._path.with_name(f"{name}.saved"))) as copy:
            connection.backup(copy)

    def bring_back(self, name: str, tables: Sequence[str]) -> None:
        """Put the rows of these tables back as they were saved."""
        with self._open() as connection:
            connection.execute("ATTACH DATABASE ? AS saved", (str(self._path.with_name(f"{name}.saved")),))
            connection.execute("BEGIN IMMEDIATE")
            for table in tables:
                connection.execute(f"DELETE FROM main.{table}")
                connection.execute(f"INSERT INTO main.{table} SELECT * FROM saved.{table}")
            connection.execute("COMMIT")

    def head(self) -> str:
        """The audit's head as the bot would put it outside now."""
        (last,) = self.rows("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        (count,) = self.rows("SELECT count(*) AS n FROM audit")
        return f"tocsin audit head {last['seq']} {last['hash']} {count['n']}"

    def _spelled(self, query: str) -> str:
        return query.replace("%", "%%").replace("?", "%s") if self.postgres else query

    # ------------------------------------------------------------ what the checks read

    def proposals(self) -> list[Row]:
        """All proposals, oldest first: id, action, state, incident_id, notified_at, record as an object."""
        rows = self.rows("SELECT id, action, state, rev, incident_id, record FROM proposals ORDER BY id")
        return [{**row, "record": parsed(row["record"])} for row in rows]

    def proposal(self, ref: str) -> Row:
        return next(row for row in self.proposals() if f"AP-{row['id']}" == ref)

    def message(self, key: str) -> Row | None:
        """Where a message of the bot stands: ts and channel; None before it was posted."""
        rows = self.rows("SELECT ts, channel, posted_channel FROM messages WHERE key = ? AND ts <> ''", key)
        return rows[0] if rows else None

    def decisions(self, ref: str) -> list[tuple[str, str]]:
        rows = self.rows("SELECT person, verdict FROM decisions WHERE proposal_id = ?", int(ref[3:]))
        return [(row["person"], row["verdict"]) for row in rows]

    def audit(self) -> list[Row]:
        return self.rows("SELECT * FROM audit ORDER BY seq")

    def mark(self) -> tuple[Any, ...]:
        """What differs as soon as anything was stored."""
        asked = (
            "SELECT max(seq) AS n FROM audit",
            "SELECT sum(rev) AS n FROM proposals",
            "SELECT count(*) AS n FROM decisions",
            "SELECT sum(wanted_rev + sent_rev) AS n FROM messages",
            "SELECT count(*) AS n FROM attempts",
            "SELECT count(*) AS n FROM timeline",
        )
        with self._open() as connection:
            return tuple(dict(connection.execute(query).fetchone())["n"] for query in asked)

    def moving(self) -> list[str]:
        """What the bot itself still has to do: messages to send and investigations that run."""
        unsent = self.rows("SELECT key FROM messages WHERE sent_rev < wanted_rev AND undelivered = ''")
        running = self.rows("SELECT id FROM triages WHERE finished_at IS NULL")
        return [row["key"] for row in unsent] + [f"triage {row['id']}" for row in running]


def parsed(value: Any) -> Any:
    """A JSON column, which SQLite gives as text."""
    return json.loads(value) if isinstance(value, str) else value


def one_of(rows: Sequence[Row], what: str) -> Row:
    """The only row. Raises LookupError."""
    if len(rows) != 1:
        raise LookupError(f"{len(rows)} rows of {what}")
    return rows[0]
