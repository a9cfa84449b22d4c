"""The tool `database_health`: what a PostgreSQL server says of its connections, locks, queries, replication and vacuum."""

from collections.abc import Iterator
from typing import Annotated

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.infrastructure.database_health import DatabaseHealth, Session, problems, without_trouble
from bot.core.infrastructure.missing_parts import missing_parts
from bot.core.text.durations import decimal_minutes
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described
from bot.ports import Databases


@tool(
    needs="databases",
    label="database health",
    role=ToolRole.DATABASE,
    first_for={"latency": 3, "load": 3},
)
async def database_health(
    ctx: ToolContext, database: Annotated[str, Described("Empty: the one that the alerting service uses")] = ""
) -> Evidence:
    """Read what a PostgreSQL server says of itself now: connections, locks, long and slow queries, replication, vacuum.

    Call it when a service that uses the database is slow, times out or runs out of connections.
    Statistics count since they began, not since the onset.
    """
    if ctx.databases is None:
        raise QueryFailed("no database is configured (systems.postgres)")
    name = _chosen(ctx, ctx.databases, database.strip())
    health = await ctx.databases.health(name)
    trouble = problems(health)
    return Evidence(
        summary=_summary(name, health, trouble),
        query=f"pg_stat_activity, pg_locks, pg_stat_statements, pg_stat_replication, pg_stat_database of {name}",
        details=tuple(_lines(health)),
        source="postgresql",
        unseen=tuple(could_not_check(f"database {name}", why) for why in health.unread),
        user_controllable=True,
        facts=EvidenceFacts(problems=trouble),
    )


def _chosen(ctx: ToolContext, databases: Databases, database: str) -> str:
    """The database that is meant: as named, else the alerting service's, else the only one."""
    inventory = databases.inventory()
    if database in inventory:
        return database
    used = [name for name, services in inventory.items() if (database or ctx.case.service) in services]
    if len(used) == 1 or (not database and len(inventory) == 1):
        return next(iter(used or inventory))
    raise InvalidQuery(f"name one of the databases: {one_line(', '.join(used or inventory), 200)}")


def _summary(name: str, health: DatabaseHealth, trouble: tuple[str, ...]) -> str:
    state = "; ".join(trouble[:3]) or ", ".join(without_trouble(health))
    missing = ", ".join(missing_parts(health.unread))
    gap = f"{missing} could not be read" if missing else ""
    parts = (state, f"{health.connections} of {health.max_connections} connections", gap)
    return f"database {name}: {'; '.join(part for part in parts if part)}"


def _lines(health: DatabaseHealth) -> Iterator[str]:
    role = "a standby" if health.standby else "the primary"
    yield f"PostgreSQL {health.version}, {role}; {health.connections} of {health.max_connections} connections"
    if health.by_state:
        yield "connections by state: " + ", ".join(f"{state} {count}" for state, count in health.by_state)
    if health.by_client:
        yield "connections by user and application: " + ", ".join(f"{client} {count}" for client, count in health.by_client)
    yield from map(_session, health.sessions)
    for statement in health.statements:
        times = f"mean {statement.mean:.1f} ms, longest {statement.longest:.0f} ms"
        yield f"statement: {statement.calls} calls, {times}, {statement.rows} rows: {statement.query}"
    for standby in health.standbys:
        lag = "no lag known" if standby.lag is None else f"lag {standby.lag:.1f} s"
        behind = "" if standby.bytes_behind is None else f", {standby.bytes_behind} bytes behind"
        yield f"replication {standby.name}: {standby.state}, {lag}{behind}"
    for slot in health.slots:
        yield f"slot {slot.name}: {'active' if slot.active else 'inactive'}, holds {slot.retained_bytes / 2**20:.0f} MiB of log"
    for table in health.tables:
        yield f"table {table.name}: {table.dead} dead of {table.rows} rows, vacuumed {table.vacuumed}"
    if health.totals:
        yield "since the statistics began: " + ", ".join(f"{name} {count}" for name, count in health.totals)
    yield f"oldest transaction id: {health.oldest_transaction} transactions old"


def _session(session: Session) -> str:
    blocked = f", blocked by pid {', '.join(map(str, session.blocked_by))}" if session.blocked_by else ""
    waits = f", waits for {session.waits_for}" if session.waits_for else ""
    open_for = f", transaction open for {decimal_minutes(session.transaction_age)}" if session.transaction_age else ""
    client = f"{session.user} {session.application}".strip()
    state = f"{session.state} for {decimal_minutes(session.query_age)}"
    return f"pid {session.pid} ({client}): {state}{open_for}{waits}{blocked}: {session.query}"
