"""The numbers of all advisory locks on PostgreSQL. They are fixed: replicas of two versions may run at the same time."""

from sqlalchemy import TextClause, text

WRITERS = 7_068_014
"""Of transactions that lock more than one thing; taken before anything else."""
AUDIT = 7_068_015
"""Of whoever appends to the audit: its chain has one end."""
INTAKE = 7_068_016
"""Of whoever stores alerts: their numbers must become visible in order, or the inbox's cursor passes some by."""
MIGRATION = 7_068_017
"""Of processes that start together: one migrates, the others wait."""

# PostgreSQL keeps keys of two numbers apart from keys of one; these are the first of two.
SERVICE = 7_068_016
"""Before the hash of a service: transactions that count over one service wait for each other."""
EXECUTORS = 0x746F6373
"""Before the hash of a name: session locks that show which process is alive, and which one leads."""


def take(lock: int) -> TextClause:
    """The statement that waits for a lock and holds it until the transaction ends."""
    return text(f"SELECT pg_advisory_xact_lock({lock:d})")


def take_and_read_clock(lock: int) -> TextClause:
    """The same, and the database's clock once the lock is held, in one question."""
    # The function without a schema: what is behind the name may be laid over it, as tests do with time.
    return text(f"SELECT clock_timestamp() FROM (SELECT pg_advisory_xact_lock({lock:d}) OFFSET 0) AS held")


def take_for(lock: int, name: str) -> TextClause:
    """The same for one name under a lock."""
    return text(f"SELECT pg_advisory_xact_lock({lock:d}, hashtext(:name))").bindparams(name=name)
