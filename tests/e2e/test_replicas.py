"""Two replicas on one PostgreSQL: one incident between them, and what happens when one of them, or the database, goes away.

The tests share the two bots and leave both of them running; Socket Mode gives each press to one of them by chance.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from bot.engine.replica import REPLACED_EXIT_CODE
from tests.e2e.goals import figure
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.postgres import Server
from tests.real.processes import Process, until
from tests.real.replicas import Replicas, alert, at_once
from tests.real.slack import COMMANDER, ON_CALL, OWNER, Json, Slack, key_of

pytestmark = pytest.mark.timeout(1800)

STRESS_SECONDS = float(os.environ.get("STRESS_SECONDS", "6"))
OVER = {"succeeded", "not recovered", "could not verify", "failed", "unknown", "denied", "stale", "stopped"}


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[str]:
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="module")
def shared(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with Replicas(tmp_path_factory.mktemp("replicas"), database, fault="bad-deploy", service="checkout") as replicas:
        yield replicas


@pytest.fixture
def pair(shared: Replicas) -> Replicas:
    """Both bots, running."""
    shared.whole()
    return shared


def test_without_db_upgrade_the_start_is_refused(pair: Replicas, postgres_server: Server, tmp_path: Path) -> None:
    environment = {**pair.bots[0].environment, "TOCSIN_DATABASE_URL": postgres_server.create_database()}
    process = Process("not-upgraded", [sys.executable, "-m", "bot.cli", "serve"], tmp_path, environment)
    process.start()

    until(lambda: not process.alive, PATIENCE, "the end of a bot without a schema")

    assert process.exit_code == 2
    assert "the database has another schema: run `tocsin db upgrade` once" in process.tail()


def test_an_incident_between_two_endpoints_survives_the_death_of_the_leader_and_runs_once(pair: Replicas) -> None:
    slack = pair.slack
    pair.break_the_shop(pair.bots[0])
    slack.wait("card:", "FIRING")
    pair.break_the_shop(pair.bots[1])
    proposal = slack.wait("proposal:", "APPROVAL NEEDED")
    _form(slack, COMMANDER, proposal)
    dead, alive = pair.leader, pair.follower

    slack.submit(COMMANDER, reason="fits the evidence")
    until(lambda: _state(alive, _ref(proposal)) in ("verifying", "succeeded"), PATIENCE, "the verification")
    dead.process.kill()
    killed = time.monotonic()

    until(lambda: pair.leads(alive), PATIENCE, "the other leads")
    slack.wait("proposal:", "*SUCCEEDED*")
    print(f"succeeded {time.monotonic() - killed:.1f} s after the kill")
    assert len(pair.executions("checkout")) == 1
    assert _doubled(slack) == {}
    incident = alive.get("incidents/INC-1")
    cards = [key for key in map(key_of, slack.of("card:")) if key == f"card:{incident['group']['ref']}"]
    assert len(cards) == 1 and len(incident["triages"]) == 1 and len(incident["proposals"]) == 1


def test_the_same_alert_at_both_endpoints_at_once_is_one_group_with_one_card(pair: Replicas) -> None:
    one = alert("DiskFull", "inventory", starts_at=datetime.now(UTC))

    assert set(at_once(*(partial(pair.post, bot, one) for bot in pair.bots * 5))) == {202}

    until(lambda: [e["repeats"] for e in _episodes(pair.bots[0], "DiskFull")] == [9], PATIENCE, "one alert, told ten times")
    group = _episodes(pair.bots[1], "DiskFull")[0]["group_id"]
    pair.slack.wait(f"card:AL-{group}")
    assert _doubled(pair.slack) == {}


def test_of_two_approvals_at_once_one_runs_it_and_the_other_is_told(pair: Replicas) -> None:
    proposal = _proposed(pair, "search")
    for user in (COMMANDER, ON_CALL):
        _form(pair.slack, user, proposal)

    at_once(*(partial(pair.slack.submit, user, reason="both of us") for user in (COMMANDER, ON_CALL)))

    for user in (COMMANDER, ON_CALL):
        assert pair.slack.private(user, _ref(proposal))["words"]
    _over(pair, proposal, "succeeded")
    assert len(pair.executions("search")) == 1


def test_approve_and_deny_at_once_end_in_one_state(pair: Replicas) -> None:
    proposal = _proposed(pair, "cart")
    _form(pair.slack, COMMANDER, proposal)
    _form(pair.slack, ON_CALL, proposal, "deny")

    at_once(*(partial(pair.slack.submit, user, reason="as I see it") for user in (COMMANDER, ON_CALL)))

    state = _over(pair, proposal)
    assert len(pair.executions("cart")) == (1 if state == "succeeded" else 0)
    pair.slack.wait(f"proposal:{_ref(proposal)}", f"*{state.upper()}*")


def test_a_paused_leader_is_replaced_and_exits_when_it_wakes_and_nothing_is_said_or_done_twice(pair: Replicas) -> None:
    zombie, other = pair.leader, pair.follower
    proposal = _approved(pair, "catalogue")
    # On a busy machine Slack is answered before an approval counts; what a paused process has not counted is pressed again.
    until(lambda: _state(other, _ref(proposal)) != "pending", PATIENCE, "an approval that counts")
    now = datetime.now(UTC)
    assert pair.post(zombie, *(alert(f"Paused{n}", "auth", starts_at=now) for n in range(4))) == 202
    os.kill(zombie.process.pid, signal.SIGSTOP)
    try:
        until(lambda: pair.leads(other), PATIENCE, "the other leads")
        until(lambda: _sorted(other, "Paused0"), PATIENCE, "the alert in a group")
        pair.slack.wait(f"card:AL-{_episodes(other, 'Paused0')[0]['group_id']}")
        _over(pair, proposal, "succeeded", via=other)
    finally:
        os.kill(zombie.process.pid, signal.SIGCONT)

    until(lambda: not zombie.process.alive, PATIENCE, "the end of the zombie")
    assert zombie.process.exit_code == REPLACED_EXIT_CODE
    assert len(pair.executions("catalogue")) == 1
    assert _doubled(pair.slack) == {}


def test_presses_and_batches_from_both_replicas_never_deadlock(pair: Replicas, database: str) -> None:
    before = _deadlocks(database)
    _storm(pair, STRESS_SECONDS)

    assert _deadlocks(database) == before
    failed = [bot.process.tail(200_000).count('"error_id"') for bot in pair.bots]
    assert failed == [0, 0], [bot.process.tail() for bot in pair.bots]


def test_sigterm_under_load_drains_and_keeps_what_was_acknowledged(pair: Replicas, database: str) -> None:
    leaving = pair.leader
    sent: list[str] = []

    def send(bot: Bot, name: str) -> None:
        end, number = time.monotonic() + 4, 0
        while time.monotonic() < end:
            number += 1
            told = f"{name}{number}"
            if pair.post(bot, alert(told, "auth", starts_at=datetime.now(UTC), severity="info")) == 202:
                sent.append(told)

    def leave() -> float:
        time.sleep(1.5)
        began = time.monotonic()
        leaving.process.stop(PATIENCE)
        return time.monotonic() - began

    took = at_once(partial(send, pair.bots[0], "LoadA"), partial(send, pair.bots[1], "LoadB"), leave)[2]

    print(figure("drained", took, 20.0))
    assert leaving.process.exit_code == 0
    assert sent and set(sent) <= _stored(database)


def test_while_the_database_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on(
    pair: Replicas, postgres_server: Server, database: str
) -> None:
    bot = pair.bots[0]
    now = datetime.now(UTC)
    assert pair.post(bot, alert("BeforeOutage", "auth", starts_at=now)) == 202
    postgres_server.stop()
    try:
        seen = {pair.post(bot, alert(f"During{n}", "auth", starts_at=now)) for n in range(3)}
        time.sleep(2)
        seen.add(pair.post(bot, alert("During9", "auth", starts_at=now)))
        assert seen == {503}
    finally:
        postgres_server.start_again()
    until(lambda: _beating(pair, database), PATIENCE, "both bots, back on the database")

    until(lambda: pair.post(bot, alert("AfterOutage", "auth", starts_at=now)) == 202, PATIENCE, "a stored alert")
    assert {"BeforeOutage", "AfterOutage"} <= _stored(database)
    until(lambda: _sorted(bot, "AfterOutage"), PATIENCE, "the alert in a group")
    _over(pair, proposal := _approved(pair, "payments"), "succeeded")
    assert len(pair.executions("payments")) == 1 and proposal


def test_the_audit_chain_is_whole_after_all_that(pair: Replicas) -> None:
    said = pair.command(pair.bots[1], "audit", "verify")

    assert said.returncode == 0 and said.stdout.startswith("The audit's chain is whole.")


# ---------------------------------------------------------------- what people do


def _ref(proposal: Json) -> str:
    return key_of(proposal).removeprefix("proposal:")


def _form(slack: Slack, user: str, proposal: Json, action: str = "approve") -> None:
    """Press the button and wait for the dialog.

    Slack lets one be opened for three seconds after the press, and a connection to the database may break while it is made
    ready: whoever is told so presses again.
    """
    until(lambda: _opens(slack, user, proposal, action), PATIENCE, f"a dialog before {user}")


def _opens(slack: Slack, user: str, proposal: Json, action: str) -> bool:
    """One press. False where it was told to be in vain. Raises AssertionError with what was seen where nothing was told."""
    pressed = slack.press(user, proposal, action)
    try:
        return bool(slack.view(user, PATIENCE / 4))
    except AssertionError as error:
        private = [message["words"] for message in slack.get("ephemerals", user=user)["ephemerals"]]
        in_vain = not pressed["acked"] or any("again" in words for words in private)
        assert in_vain, f"{error}; {pressed}; private: {private}; dialogs: {slack.get('views', user=user)['views']}"
        return False


def _proposed(pair: Replicas, service: str) -> Json:
    """Have the owner propose a restart of a service that is well; its card."""
    known = {key_of(m) for m in pair.slack.of("proposal:")}
    said = pair.slack.command(OWNER, "C0", f"propose restart {service}")
    assert said["acked"], said

    def look() -> Json | None:
        return next((m for m in pair.slack.of("proposal:") if key_of(m) not in known and service in m["words"]), None)

    try:
        found: Json = until(look, PATIENCE, f"the proposal for {service}")
    except AssertionError:
        told = [e["words"] for e in pair.slack.get("ephemerals", user=OWNER)["ephemerals"]]
        raise AssertionError(f"no proposal for {service}; the owner was told {told}") from None
    return found


def _approved(pair: Replicas, service: str) -> Json:
    proposal = _proposed(pair, service)
    _form(pair.slack, COMMANDER, proposal)
    pair.slack.submit(COMMANDER, reason="go")
    return proposal


# ---------------------------------------------------------------- what is seen


def _state(bot: Bot, ref: str) -> str:
    return str(bot.proposal(ref).get("state", ""))


def _over(pair: Replicas, proposal: Json, wanted: str = "", via: Bot | None = None) -> str:
    """The final state of a proposal, once it has one."""
    bot = via or pair.bots[0]
    state: str = until(lambda: (s := _state(bot, _ref(proposal))) in OVER and s, PATIENCE, f"the end of {_ref(proposal)}")
    assert not wanted or state == wanted, bot.proposal(_ref(proposal))
    return state


def _episodes(bot: Bot, name: str) -> list[Json]:
    """The firings of alerts of this name."""
    return [found for found in bot.get("alerts") if found["name"] == name]


def _sorted(bot: Bot, name: str) -> bool:
    """Whether an alert of this name has its group."""
    return any(found["group_id"] for found in _episodes(bot, name))


def _doubled(slack: Slack) -> dict[str, int]:
    """Keys under which more than one message stands."""
    counted = Counter(key_of(m) for m in slack.messages())
    return {key: count for key, count in counted.items() if key and count > 1}


def _beating(pair: Replicas, database: str) -> bool:
    """Whether both have their place again. One that came back much later than the other was taken for dead, and starts anew."""
    pair.whole()
    with psycopg.connect(database) as connection:
        fresh = "SELECT count(*) FROM tocsin.executors WHERE clock_timestamp() - beat_at < interval '2 seconds'"
        return connection.execute(fresh).fetchone() == (len(pair.bots),)


def _stored(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        return {str(name) for (name,) in connection.execute("SELECT name FROM alerts")}


def _deadlocks(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
        assert row is not None
        return int(row[0])


# ---------------------------------------------------------------- the stress


def _storm(pair: Replicas, seconds: float) -> None:
    """Alerts that open, raise, clear and reopen groups at both endpoints, while people acknowledge, note and resolve them."""
    end = time.monotonic() + seconds
    services = ("auth", "shipping", "notifications", "recommendations", "storefront")

    def alerts(bot: Bot, offset: int) -> None:
        turn = 0
        while time.monotonic() < end:
            now = datetime.now(UTC)
            ends = now if turn % 3 == 2 else None
            grade = "warning" if turn % 3 == 0 else "critical"
            begun = now - timedelta(seconds=1)
            batch = [alert(f"S{(turn + offset) // 3 % 7}", s, starts_at=begun, ends_at=ends, severity=grade) for s in services]
            pair.post(bot, *batch)
            turn += 1

    def people(user: str, offset: int) -> None:
        turn = offset
        while time.monotonic() < end:
            refs = [found["ref"] for found in pair.bots[turn % 2].get("incidents")] or ["INC-1"]
            verb = ("ack", "lead", "note")[turn % 3]
            pair.slack.command(user, "C0", f"{verb} {refs[turn % len(refs)]}" + (" still at it" if verb == "note" else ""))
            turn += 1

    writers = [partial(alerts, bot, offset) for bot in pair.bots for offset in (0, 2)]
    at_once(*writers, *(partial(people, user, n) for n, user in enumerate((ON_CALL, COMMANDER, OWNER))))
