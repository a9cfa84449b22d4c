"""What of a database's own statistics is trouble."""

from dataclasses import replace

import pytest

from bot.core.infrastructure.database_health import DatabaseHealth, Session, Slot, Standby, masked, problems, without_trouble

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
        (
            replace(QUIET, oldest_transaction=1_900_000_000),
            ["the oldest transaction id is 1.90 billion old: writes stop at 2.1 billion"],
        ),
        (replace(QUIET, oldest_transaction=150_000_000), []),
    ],
)  # fmt: skip
def test_trouble_is_what_a_database_reports_beyond_its_limits(health: DatabaseHealth, words: list[str]) -> None:
    assert list(problems(health)) == words


def test_values_of_a_query_are_the_users_and_are_not_shown() -> None:
    assert masked("SELECT *\nFROM t1 WHERE name = 'O''Hara' AND n > 42.5") == "SELECT * FROM t1 WHERE name = ? AND n > ?"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("INSERT INTO t VALUES ('Dear Anna, your IBAN", "INSERT INTO t VALUES (?"),
        ("SELECT E'it\\'s anna@example.com' AND b", "SELECT ? AND b"),
        ("SELECT E'it\\'s anna@exam", "SELECT ?"),
        ("SELECT E'cut at its backslash anna\\", "SELECT ?"),
        ("SELECT 'it\\'s anna@example.com', b", "SELECT ?"),
        ("SELECT 'C:\\dir', b", "SELECT ?, b"),
        ("SELECT /* user=anna@example.com */ a", "SELECT a"),
        ("SELECT a /* user=anna@exam", "SELECT a"),
        ("SELECT a /* x /* y */ anna */ FROM t", "SELECT a"),
        ("SELECT a -- anna's\nFROM t", "SELECT a FROM t"),
        ("SELECT $a$x$b$ secret $a$, b", "SELECT ?, b"),
        ("SELECT $a$x$b$ secret", "SELECT ?"),
        ("SELECT $$it's secret$$, b", "SELECT ?, b"),
        ("SELECT \"o'clock\" FROM t1 WHERE a = 'Anna'", 'SELECT "o\'clock" FROM t1 WHERE a = ?'),
        ("SELECT '/* ', 'Anna', ' */'", "SELECT ?, ?, ?"),
        ("SELECT '-- ', 1e10, 0xFF", "SELECT ?, ?, ?"),
        ("SELECT a FROM t WHERE b = $1 AND c = $2", "SELECT a FROM t WHERE b = $? AND c = $?"),
    ],
)
def test_no_value_is_shown_where_a_query_is_cut_or_quoted_in_another_way(query: str, shown: str) -> None:
    assert masked(query) == shown


@pytest.mark.parametrize("part", ["'", "E'\\", "/*", "$a", "$$", '"', "''", "--", "\\'", "1"])
def test_a_query_of_nothing_but_quotes_is_masked_at_once(part: str) -> None:
    assert len(masked(part * 2000)) <= 240


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (QUIET, ["no lock waits", "no long transaction", "no replication lag"]),
        (replace(QUIET, unread=("replication could not be read: denied",)), ["no lock waits", "no long transaction"]),
        (replace(QUIET, unread=("sessions could not be read: denied",)), ["no replication lag"]),
        (replace(QUIET, unread=("sessions of other roles could not be read: no member",)), []),
        (replace(QUIET, standbys=(Standby("c", "streaming", None, None),)), ["no lock waits", "no long transaction"]),
        (
            replace(QUIET, unread=("tables could not be read: x",)),
            ["no lock waits", "no long transaction", "no replication lag"],
        ),
    ],
)
def test_only_what_was_read_is_without_trouble(health: DatabaseHealth, words: list[str]) -> None:
    assert list(without_trouble(health)) == words
