"""What a database server says of itself, and which of it is trouble. Texts of queries are untrusted, their values masked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.infrastructure.missing_parts import missing_parts
from bot.core.text.durations import decimal_minutes
from bot.core.text.untrusted import counted, one_line

NEARLY_FULL = 0.9
"""Share of the connections in use from which on new ones will soon be refused."""
LOCK_SECONDS, LONG_SECONDS, IDLE_SECONDS, LAG_SECONDS = 5.0, 60.0, 60.0, 30.0
SLOT_BYTES = 2**30
OLD_TRANSACTIONS = 1_500_000_000
"""PostgreSQL refuses to write at about 2.1 billion."""
MAX_QUERY = 240
OTHER_ROLES = "sessions of other roles"
"""A part that PostgreSQL hides from a role outside pg_monitor: their states, times, queries, and the lag of standbys."""
_LEXEMES = re.compile(
    r"""
    (?P<comment> --[^\r\n]* | /\*(?:(?!/\*|\*/).)*+(?:\*/|/\*.*|\Z) )
    | (?P<identifier> "(?:[^"]|"")*+" )
    | (?<![\w$])[eE]'(?:[^'\\]|''|\\.)*+(?:'|.*)
    | '(?:[^'\\]|''|\\(?!'))*+(?:'|.*)
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
    | ".*
    | \b\d[\w.]*
    """,
    re.DOTALL | re.VERBOSE,
)
"""Values, comments and quoted identifiers. PostgreSQL cuts long texts, so a value may lack its end; where a backslash before a
quote or a nested comment leaves its end open, the rest counts as part of it."""


@dataclass(frozen=True)
class Session:
    """One connection that does something, or holds a transaction open; ages in seconds."""

    pid: int
    user: str
    application: str
    state: str
    transaction_age: float
    query_age: float
    waits_for: str
    """`Lock: transactionid`; "" if it waits for nothing."""
    blocked_by: tuple[int, ...]
    query: str


@dataclass(frozen=True)
class Statement:
    """One kind of query since the statistics began; times in milliseconds."""

    calls: int
    mean: float
    longest: float
    total: float
    rows: int
    query: str


@dataclass(frozen=True)
class Standby:
    """A copy that follows this server, or this server's own lag if it is one; `lag` in seconds, None if it has none."""

    name: str
    state: str
    lag: float | None
    bytes_behind: int | None


@dataclass(frozen=True)
class Slot:
    """A replication slot and the log that is held for it."""

    name: str
    active: bool
    retained_bytes: int


@dataclass(frozen=True)
class Table:
    """A table with dead rows that wait for vacuum."""

    name: str
    rows: int
    dead: int
    vacuumed: str


@dataclass(frozen=True)
class DatabaseHealth:
    """Everything that was read, at one moment."""

    version: str
    standby: bool
    connections: int
    max_connections: int
    by_state: tuple[tuple[str, int], ...] = ()
    by_client: tuple[tuple[str, int], ...] = ()
    sessions: tuple[Session, ...] = ()
    """The longest transactions first."""
    statements: tuple[Statement, ...] = ()
    """Those that took most time in all."""
    standbys: tuple[Standby, ...] = ()
    slots: tuple[Slot, ...] = ()
    tables: tuple[Table, ...] = ()
    totals: tuple[tuple[str, int], ...] = ()
    """Counters of the database since its statistics began: deadlocks, rollbacks, ..."""
    oldest_transaction: int = 0
    unread: tuple[str, ...] = ()
    """What could not be read, in words."""


def masked(query: str) -> str:
    """A query on one line without its values: those are the users' data."""
    return one_line(_LEXEMES.sub(_without_value, query), MAX_QUERY)


def _without_value(lexeme: re.Match[str]) -> str:
    if lexeme["comment"] is not None:
        return " "
    return lexeme["identifier"] or "?"


def without_trouble(health: DatabaseHealth) -> tuple[str, ...]:
    """What was read and is no trouble; only for a server without any."""
    missing = {OTHER_ROLES, "sessions"} & set(missing_parts(health.unread))
    sessions = () if missing else ("no lock waits", "no long transaction")
    unmeasured = any(standby.lag is None and standby.bytes_behind is None for standby in health.standbys)
    hidden = unmeasured or {OTHER_ROLES, "replication"} & set(missing_parts(health.unread))
    return sessions if hidden else (*sessions, "no replication lag")


def problems(health: DatabaseHealth) -> tuple[str, ...]:
    """What of it is trouble by itself, the worst first, one sentence each."""
    return tuple(_problems(health))


def _problems(health: DatabaseHealth) -> Iterator[str]:
    if health.connections >= NEARLY_FULL * health.max_connections:
        yield f"{health.connections} of {health.max_connections} connections are in use"
    waiting = [session for session in health.sessions if session.blocked_by and session.query_age >= LOCK_SECONDS]
    if waiting:
        roots = sorted({pid for session in waiting for pid in session.blocked_by} - {session.pid for session in waiting})
        longest = max(session.query_age for session in waiting)
        holders = f", held by pid {', '.join(map(str, roots[:5]))}" if roots else ""
        wait = "waits" if len(waiting) == 1 else "wait"
        yield f"{counted(len(waiting), 'session')} {wait} for locks, for up to {decimal_minutes(longest)}{holders}"
    in_transaction = [session for session in health.sessions if session.state.startswith("idle in transaction")]
    idle = [session for session in in_transaction if session.transaction_age >= IDLE_SECONDS]
    if idle:
        oldest = decimal_minutes(max(session.transaction_age for session in idle))
        yield f"{counted(len(idle), 'session')} idle in a transaction, for up to {oldest}"
    unblocked = [session for session in health.sessions if session.state == "active" and not session.blocked_by]
    running = [session for session in unblocked if session.query_age >= LONG_SECONDS]
    if running:
        oldest = decimal_minutes(max(session.query_age for session in running))
        yield f"{len(running)} {'query runs' if len(running) == 1 else 'queries run'}, for up to {oldest}"
    for standby in health.standbys:
        if standby.lag is not None and standby.lag >= LAG_SECONDS:
            yield f"replication to {standby.name} lags by {decimal_minutes(standby.lag)}"
    for slot in health.slots:
        if not slot.active and slot.retained_bytes >= SLOT_BYTES:
            yield f"the inactive slot {slot.name} holds back {slot.retained_bytes / 2**30:.1f} GiB of log"
    if health.oldest_transaction >= OLD_TRANSACTIONS:
        yield f"the oldest transaction id is {health.oldest_transaction / 1e9:.2f} billion old: writes stop at 2.1 billion"
