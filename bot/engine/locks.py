"""PostgreSQL's session advisory locks and the table of heartbeats: which process is alive, and which one replaces a dead one.

A session lock cannot outlive its connection, so a killed process frees its
name at once. A paused one keeps it; its heartbeat grows old, and `fence` ends
its connection from outside.
"""

import zlib
from typing import TYPE_CHECKING, Any

import psycopg

from bot.store.db.locks import EXECUTORS

LEADER = "leader"
SETUP = "setup"

TABLE = """
CREATE SCHEMA IF NOT EXISTS tocsin;
CREATE TABLE IF NOT EXISTS tocsin.executors (
    id text PRIMARY KEY,
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

if TYPE_CHECKING:
    Connection = psycopg.Connection[tuple[Any, ...]]
else:
    # On SQLite the driver is not loaded (bot/core/loading/deferred.py): nothing of it is used here before a connection is.
    Connection = Any


def session_name(executor: str) -> str:
    """What PostgreSQL shows of every connection of one process."""
    return f"tocsin {executor}"


def connect(url: str, executor: str) -> Connection:
    """A session for locks and heartbeats alone. A network that swallows packets is noticed within about 3 s."""
    return psycopg.connect(
        "postgresql://" + url.split("://", 1)[1],
        autocommit=True,
        connect_timeout=5,
        application_name=session_name(executor),
        keepalives_idle=1,
        keepalives_interval=1,
        keepalives_count=2,
        tcp_user_timeout=3000,
    )


def key(name: str) -> int:
    """A name as the signed 32-bit half of a lock key."""
    return zlib.crc32(name.encode()) - 2**31


def try_lock(connection: Connection, name: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (EXECUTORS, key(name))).fetchone()
    return row is not None and bool(row[0])


def unlock(connection: Connection, name: str) -> None:
    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (EXECUTORS, key(name)))


def fence(connection: Connection, name: str) -> None:
    """End the connections of a process and the one that holds its lock, whose ever it is; the lock is free a moment later."""
    end_sessions(connection, name)
    connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid::bigint = %s AND objid::bigint = %s
        """,
        (EXECUTORS, key(name) % 2**32),
    )


def end_sessions(connection: Connection, executor: str) -> None:
    """End the connections of a paused process: a half done transaction would hold its locks, or be committed late."""
    connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()
        """,
        (session_name(executor),),
    )


def register(connection: Connection, executor: str) -> None:
    """Create the table if there is none, take the lock of our own name, and only then insert our row."""
    with connection.transaction():
        # Two replicas that start together would both see no table.
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (EXECUTORS, key(SETUP)))
        connection.execute(TABLE)
    try_lock(connection, executor)
    connection.execute("INSERT INTO tocsin.executors (id) VALUES (%s)", (executor,))


def reclaim(connection: Connection, executor: str, *, leads: bool) -> bool:
    """On a new connection: take our name's lock again, and the leadership if we had it. False: we were replaced."""
    registered = try_lock(connection, executor) and heartbeat(connection, executor)
    return registered and (not leads or try_lock(connection, LEADER))


def heartbeat(connection: Connection, executor: str) -> bool:
    """Record that we are alive. False: our row is gone, because another process has replaced us."""
    return (
        connection.execute("UPDATE tocsin.executors SET beat_at = clock_timestamp() WHERE id = %s", (executor,)).rowcount == 1
    )


def others(connection: Connection, executor: str) -> list[tuple[str, float]]:
    """The other processes, each with the age of its last heartbeat in seconds by the database's clock."""
    rows = connection.execute(
        "SELECT id, extract(epoch FROM clock_timestamp() - beat_at)::float FROM tocsin.executors WHERE id <> %s", (executor,)
    )
    return [(str(id), float(age)) for id, age in rows]


def remove(connection: Connection, executor: str) -> None:
    """Delete the row of a dead process whose runs are taken over, and free its name."""
    connection.execute("DELETE FROM tocsin.executors WHERE id = %s", (executor,))
    unlock(connection, executor)
