"""The health of PostgreSQL servers, from its statistics views: fixed queries in one read-only transaction with time limits.

Views: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bot.core.check import Check, failed, ok
from bot.core.config.systems import PostgresConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.infrastructure.database_health import (
    OTHER_ROLES,
    DatabaseHealth,
    Session,
    Slot,
    Standby,
    Statement,
    Table,
    masked,
)
from bot.core.infrastructure.missing_parts import could_not_read
from bot.core.text.untrusted import one_line

if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncCursor

SECONDS, STATEMENT_MS, LOCK_MS = 8.0, 2_000, 500
MAX_SESSIONS, MAX_STATEMENTS, MAX_ROWS = 20, 10, 10
T = TypeVar("T")
# Any: rows of fixed queries, whose columns stand beside them.
Row = tuple[Any, ...]

_SERVER = """
    SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('max_connections')::int,
           current_setting('is_superuser') = 'on', pg_has_role(current_user, 'pg_read_all_stats', 'usage'),
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
           (SELECT max(age(datfrozenxid)) FROM pg_database)"""
_BY_STATE = """
    SELECT coalesce(state, 'unknown') || coalesce(', waits for ' || wait_event_type, ''), count(*)
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY 2 DESC LIMIT %(rows)s"""
_BY_CLIENT = """
    SELECT coalesce(usename, '') || ' ' || coalesce(nullif(application_name, ''), 'unnamed'), count(*)
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY 2 DESC LIMIT %(rows)s"""
_SESSIONS = """
    SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(state, ''),
           coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8,
           coalesce(extract(epoch FROM clock_timestamp()
                    - CASE WHEN state = 'active' THEN query_start ELSE state_change END), 0)::float8,
           coalesce(wait_event_type || ': ' || wait_event, ''), pg_blocking_pids(pid), coalesce(left(query, 2000), '')
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'
    ORDER BY cardinality(pg_blocking_pids(pid)) = 0, xact_start NULLS LAST LIMIT %(sessions)s"""
_STATEMENTS = """
    SELECT calls, mean_exec_time, max_exec_time, total_exec_time, rows, left(query, 2000)
    FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY total_exec_time DESC LIMIT %(statements)s"""
_STATEMENTS_SCHEMA = """
    SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'"""
_STANDBYS = """
    SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text), state || ', ' || sync_state,
           extract(epoch FROM replay_lag)::float8, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
    FROM pg_stat_replication LIMIT %(rows)s"""
_OWN_LAG = """
    SELECT 'this server', 'standby', CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
           ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8,
           pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint"""
_SLOTS = """
    SELECT slot_name::text, active, coalesce(pg_wal_lsn_diff(
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint
    FROM pg_replication_slots ORDER BY 3 DESC LIMIT %(rows)s"""
_TABLES = """
    SELECT schemaname || '.' || relname, n_live_tup, n_dead_tup,
           coalesce(to_char(greatest(last_vacuum, last_autovacuum) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'never')
    FROM pg_stat_user_tables WHERE n_dead_tup > 10000 ORDER BY n_dead_tup DESC LIMIT %(rows)s"""
_TOTALS = """
    SELECT xact_commit, xact_rollback, deadlocks, conflicts, temp_bytes, blks_hit, blks_read
    FROM pg_stat_database WHERE datname = current_database()"""
_TOTAL_NAMES = (
    "commits",
    "rollbacks",
    "deadlocks",
    "conflicts",
    "bytes of temporary files",
    "blocks from memory",
    "blocks read",
)
_LIMITS = {"rows": MAX_ROWS, "sessions": MAX_SESSIONS, "statements": MAX_STATEMENTS}


class PostgresServers:
    """The Databases port. No SQL comes from anywhere but this file."""

    def __init__(
        self, servers: Mapping[str, PostgresConfig], *, passwords: Mapping[str, str] | None = None, seconds: float = SECONDS
    ) -> None:
        self._servers = servers
        self._passwords = passwords or {}
        self._seconds = seconds

    def inventory(self) -> Mapping[str, Sequence[str]]:
        """The databases that may be queried, each with the services that use it."""
        return {name: server.services for name, server in self._servers.items()}

    async def health(self, database: str) -> DatabaseHealth:
        """What the server says of itself now. Raises QueryFailed; single parts that cannot be read are in `unread`."""
        import psycopg

        server = self._servers.get(database)
        if server is None:
            raise InvalidQuery(
                f"there is no database {one_line(database, 60)!r}; there is {', '.join(self._servers) or 'none'}"
            )
        try:
            async with asyncio.timeout(self._seconds), await self._connect(database, server) as connection:
                return await _read(connection)
        except TimeoutError as error:
            raise QueryFailed(f"{database} did not answer within {self._seconds:g} s") from error
        except psycopg.Error as error:
            raise QueryFailed(f"{database} cannot be queried: {one_line(str(error), 200)}") from error

    async def check(self, database: str) -> Check:
        """Whether it answers, and whether the role may read what it needs and no more."""
        advice = f"check systems.postgres.{database}, its password, and the role in docs/systems.md"
        try:
            health = await self.health(database)
        except QueryFailed as error:
            return failed(f"PostgreSQL {database}", str(error), advice)
        if health.unread:
            return failed(f"PostgreSQL {database}", "; ".join(health.unread), advice)
        return ok(f"PostgreSQL {database}", f"version {health.version}, {health.connections} connections")

    async def _connect(self, name: str, server: PostgresConfig) -> "AsyncConnection[Row]":
        from psycopg import AsyncConnection

        limits = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS}"
        return await AsyncConnection.connect(
            host=server.host,
            port=server.port,
            dbname=server.database,
            user=server.user,
            password=self._passwords.get(name) or None,
            sslmode=server.sslmode,
            application_name="tocsin",
            connect_timeout=max(2, int(self._seconds / 2)),
            options=f"{limits} -c idle_in_transaction_session_timeout=10000 -c search_path=pg_catalog",
        )


async def _read(connection: "AsyncConnection[Row]") -> DatabaseHealth:
    await connection.set_read_only(True)
    cursor = connection.cursor()
    version, standby, most, superuser, reads_all, connections, oldest = (await _rows(cursor, _SERVER))[0]
    if superuser:
        # Read-only by our own word is not enough: a mistake here must not be able to do harm.
        raise QueryFailed("the role is a superuser: use one that may only read statistics (a member of pg_monitor)")
    unread = [] if reads_all else [could_not_read(OTHER_ROLES, "the role is no member of pg_monitor")]

    async def part(what: str, query: str, row: Callable[..., T]) -> tuple[T, ...]:
        return await _part(connection, unread, what, _rows(cursor, query), row)

    schema = await part("statements", _STATEMENTS_SCHEMA, str)
    totals = await part("totals", _TOTALS, lambda *values: tuple(zip(_TOTAL_NAMES, map(int, values), strict=True)))
    return DatabaseHealth(
        version=str(version),
        standby=bool(standby),
        connections=int(connections),
        max_connections=int(most),
        by_state=await part("connections", _BY_STATE, _counted),
        by_client=await part("clients", _BY_CLIENT, _counted),
        sessions=await part("sessions", _SESSIONS, _session),
        statements=await part("statements", _in_schema(schema[0]), _statement) if schema else (),
        standbys=await part("replication", _OWN_LAG if standby else _STANDBYS, _standby),
        slots=await part("replication slots", _SLOTS, _slot),
        tables=await part("tables", _TABLES, _table),
        totals=totals[0] if totals else (),
        oldest_transaction=int(oldest or 0),
        unread=tuple(unread),
    )


async def _part(
    connection: "AsyncConnection[Row]", unread: list[str], what: str, reading: Awaitable[list[Row]], row: Callable[..., T]
) -> tuple[T, ...]:
    """One part, in a savepoint of its own: what the role may not read hides nothing else."""
    import psycopg

    try:
        async with connection.transaction():
            return tuple(row(*values) for values in await reading)
    except psycopg.Error as error:
        unread.append(could_not_read(what, one_line(str(error), 160)))
        return ()


async def _rows(cursor: "AsyncCursor[Row]", query: str) -> list[Row]:
    await cursor.execute(query.encode(), _LIMITS)
    return await cursor.fetchall()


def _in_schema(schema: str) -> str:
    """The query of statements; the schema's name comes from the catalogue of the database, and is quoted."""
    return _STATEMENTS.replace("{schema}", '"' + schema.replace('"', '""').replace("%", "%%") + '"')


def _counted(name: str, count: int) -> tuple[str, int]:
    return one_line(name, 120), int(count)


def _session(
    pid: int, user: str, application: str, state: str, open_for: float, age: float, waits: str, blocked: list[int], query: str
) -> Session:
    names = one_line(user, 60), one_line(application, 60)
    return Session(pid, *names, state, open_for, age, waits, tuple(blocked), masked(query))


def _statement(calls: int, mean: float, longest: float, total: float, rows: int, query: str) -> Statement:
    return Statement(calls, mean, longest, total, rows, masked(query))


def _standby(name: str, state: str, lag: float | None, behind: int | None) -> Standby:
    return Standby(one_line(name, 80), state, lag, behind)


def _slot(name: str, active: bool, retained: int) -> Slot:
    return Slot(one_line(name, 80), active, retained)


def _table(name: str, rows: int, dead: int, vacuumed: str) -> Table:
    return Table(one_line(name, 120), rows, dead, vacuumed)
