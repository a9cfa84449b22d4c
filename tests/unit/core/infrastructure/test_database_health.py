"""What of a database's own statistics is trouble."""

from dataclasses import replace

import pytest

from bot.core.infrastructure.database_health import DatabaseHealth, Session, Slot, Standby, masked, troubles

QUIET = DatabaseHealth(version="16", standby=False, connections=10, max_connections=100)
WAITING = Session(11, "app", "web", "active", 40.0, 30.0, "Lock: tuple", (12,), "UPDATE a")
HOLDING = Session(12, "app", "job", "idle in transaction", 300.0, 290.0, "Client: ClientRead", (), "UPDATE a")
LATE, OLD = Standby("b", "streaming", 45.0, 10), Slot("old", False, 3 * 2**30)
LONG = Session(13, "app", "report", "active", 90.0, 90.0, "", (), "SELECT")


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (QUIET, []),
        (replace(QUIET, connections=95), ["95 of 100 connections are in use"]),
        (
            replace(QUIET, sessions=(WAITING, HOLDING)),
            ["1 session waits for locks, for up to 30 s, held by pid 12", "1 session idle in a transaction, for up to 5.0 min"],
        ),
        (replace(QUIET, sessions=(replace(WAITING, query_age=1.0),)), []),
        (replace(QUIET, sessions=(LONG,)), ["1 query runs, for up to 1.5 min"]),
        (replace(QUIET, standbys=(LATE, Standby("c", "streaming", None, 0))), ["replication to b lags by 45 s"]),
        (replace(QUIET, slots=(OLD, replace(OLD, active=True))), ["the inactive slot old holds back 3.0 GiB of log"]),
    ],
)  # fmt: skip
def test_trouble_is_what_a_database_reports_beyond_its_limits(health: DatabaseHealth, words: list[str]) -> None:
    assert list(troubles(health)) == words


def test_values_of_a_query_are_the_users_and_are_not_shown() -> None:
    assert masked("SELECT *\nFROM t1 WHERE name = 'O''Hara' AND n > 42.5") == "SELECT * FROM t1 WHERE name = ? AND n > ?"
