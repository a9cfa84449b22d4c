"""A PostgreSQL database as one dump, and a new one filled from it: PostgreSQL's own pg_dump and pg_restore do it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.core.errors import ConfigurationError, TocsinError
from bot.core.text.untrusted import one_line

DUMP = "tocsin.dump"


def dump(url: str, file: Path) -> None:
    """All schemas as they stood at one moment, the journal's among them, also while replicas write. Raises TocsinError."""
    _run("pg_dump", url, ["--format=custom", f"--file={file}"])


def fill(url: str, file: Path) -> None:
    """Restore into an empty database, whole or not at all. Raises TocsinError, ConfigurationError."""
    _require_empty(url)
    _run("pg_restore", url, ["--no-owner", "--exit-on-error", "--single-transaction", str(file)])


def _require_empty(url: str) -> None:
    query = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    try:
        with psycopg.connect(_plain(url), connect_timeout=10) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        raise TocsinError(f"the database does not answer: {one_line(str(error), 200)}") from error
    if row and row[0]:
        problem = "has tables already: a backup is restored into a new, empty database (createdb), which this then names"
        raise ConfigurationError(problem, key="TOCSIN_DATABASE_URL")


def _run(program: str, url: str, arguments: Sequence[str]) -> None:
    if (path := shutil.which(program)) is None:
        raise TocsinError(
            f"{program} is not installed here: run this where PostgreSQL's client programs are (as new as the server)"
        )
    fields = conninfo_to_dict(_plain(url))
    # Everybody on the machine may read a command line, so the password is no part of it.
    password = {"PGPASSWORD": str(fields.pop("password"))} if fields.get("password") else {}
    command = [path, f"--dbname={make_conninfo('', **fields)}", *arguments]
    done = subprocess.run(command, env={**os.environ, **password}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TocsinError(f"{program} failed: {one_line(done.stderr.strip(), 400)}")


def _plain(url: str) -> str:
    """The address without the name of a driver."""
    return "postgresql://" + url.split("://", 1)[1]
