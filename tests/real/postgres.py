"""A throw-away PostgreSQL on a free loopback port; each test gets a database of its own.

Use it with `pytest_plugins`-free imports: `from tests.real.postgres import postgres_server, postgres_url`
in the conftest.py of a test folder.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.real import free_port, missing


def binaries() -> Path | None:
    """The newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Server:
    """A running server. `url` is its maintenance database; trust authentication, no fsync."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.bin, self.folder, self.port = bin, folder, free_port()
        self.url = f"postgresql://app@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._run("initdb", "-D", str(self.folder / "d"), "-A", "trust", "-U", "app", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start_again()

    def start_again(self) -> None:
        """After `stop`: the same databases are there."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", str(self.folder / "d"), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "d"), "-m", "immediate", "stop")

    def create_database(self) -> str:
        """The address of a new empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url.removesuffix("postgres") + name

    def drop_database(self, url: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def _run(self, program: str, *arguments: str) -> None:
        # The server refuses to run as root; then it runs as its own user.
        user = "postgres" if os.geteuid() == 0 else None
        subprocess.run(
            [self.bin / program, *arguments], check=True, user=user, group=user, cwd=self.folder, stdout=subprocess.DEVNULL
        )


@contextmanager
def serving() -> Iterator[Server]:
    """A server that is gone afterwards; skipped with its name when it is not installed."""
    bin = binaries()
    if bin is None:
        missing("PostgreSQL (initdb)")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = Server(bin, folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for the whole session."""
    with serving() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty database, dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)
