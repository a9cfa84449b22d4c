"""The store means the same on SQLite and on PostgreSQL, with the schema that the migrations make."""

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.core.actor import Visibility
from bot.core.alert import Alert
from bot.core.alerts.grouping import Arrival, GroupingReason, Membership
from bot.core.alerts.silences import NewSilence
from bot.core.evidence import Evidence, Findings
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.questions.answering import QuestionAnswer
from bot.store import audit
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.reader import Alerts
from bot.store.alerts.silences import Silences
from bot.store.alerts.sorting.open_groups import OpenGroups
from bot.store.answers import records
from bot.store.answers.postmortems import Postmortems
from bot.store.answers.questions import Questions
from bot.store.db.database import Database, DatabaseUnavailable
from bot.store.incidents import causes, incidents
from bot.store.incidents import rows as incident_rows
from bot.store.incidents.privacy import set_private
from bot.store.oversight.auditor import alarms
from bot.store.oversight.backlog import backlog
from bot.store.oversight.paging import PagingQueries
from bot.store.slack.outbox import Outbox
from bot.store.slack.withheld import WithheldMessages
from bot.store.tables import AlertRow, EpisodeRow, HeartbeatRow, MessageRow
from bot.store.triage.changes import Changes
from bot.store.triage.frozen_cases import Cases
from bot.store.triage.gaps import failed_checks
from bot.store.triage.ledger import EvidenceLedger
from bot.store.triage.past_incidents import PastIncidents
from bot.store.triage.triage import Triages
from tests.real import wait_until
from tests.unit.builders import NOW, at, change
from tests.unit.readers import everything_public
from tests.unit.store.databases import CATALOGUE, PUBLIC, SortingFixture, alert, dollars
from tests.unit.workflows.early_resolve_fixture import EarlyResolveFixture


async def test_alerts_come_back_as_they_were_told_and_moments_are_utc(sorting: SortingFixture) -> None:
    told = alert("a", labels={"pod": "ü\U0001f525"}, annotations={"summary": "x" * 8000})
    await sorting.store([told])

    row = next(row for row in await sorting.rows(AlertRow) if row.fingerprint == "a")
    assert Alert.model_validate({**row.model_dump(exclude={"seq", "received_at"})}) == told
    assert (row.received_at, str(row.starts_at.tzinfo)) == (NOW, "UTC")


async def test_a_story_of_one_group_ends_the_same(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5), alert("b", start=-4), alert("w", name="Watchdog", severity="none"))
    await sorting.receive(alert("a", "resolved", start=-5, ends_at=at(-1)), alert("b", "resolved", start=-4, ends_at=at(0)))
    sorting.clock.forward(3)
    await sorting.receive(alert("a", start=2))

    assert [(g.state, g.alerts, g.firing, g.reopened) for g in await sorting.groups()] == [("FIRING", 3, 1, 1)]
    assert [(row.key, row.last_seen_at) for row in await sorting.rows(HeartbeatRow)] == [("prod:Watchdog", NOW)]
    assert sorted(row.kind for row in await sorting.rows(MessageRow)) == ["card", "renewed"]
    assert await audit.verify(sorting.db) is None


async def test_what_fires_and_what_fired_before_is_read_with_labels_that_are_not_too_long(sorting: SortingFixture) -> None:
    long = {f"label_{n}": "v" * 2_000 for n in range(5)}
    await sorting.receive(alert("a", start=-30, labels={"pod": "p-1"}), alert("b", start=-29, labels=long))

    firing = {one.fingerprint: one for one in await Alerts(sorting.db).active()}
    ((past,),) = await Alerts(sorting.db).earlier(at(0))

    assert (firing["b"].labels["label_4"], past.fingerprint, past.labels["pod"]) == ("v" * 300, "a", "p-1")


async def test_a_restarted_inbox_knows_what_is_in_its_groups(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", labels={"service": "checkout", "cluster": "eu"}))
    arriving = Arrival("prod", "New", "payments", "new", "", {"cluster": "eu"}, NOW, channel="C2")
    afresh = OpenGroups(CATALOGUE)
    async with sorting.db.read() as session:
        await afresh.refresh(session, PUBLIC)

    placement = afresh.place(arriving)
    assert placement.group is not None
    assert placement.membership == Membership(GroupingReason.RELATED_SERVICE, "checkout depends on payments")


async def test_a_storm_of_many_names_is_read_again_in_no_time(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"a{number}", name=f"Alert{number}") for number in range(1500)))
    afresh = OpenGroups(CATALOGUE)
    async with sorting.db.read() as session:
        if not sorting.db.sqlite:
            await (await session.connection()).execute(text("SET LOCAL statement_timeout = '3s'"))
        await afresh.refresh(session, PUBLIC)

    (group,) = afresh.groups.values()
    assert group.members == group.running == 1500


async def test_a_group_that_a_person_resolves_takes_no_more(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    await incidents.resolve(sorting.db, "INC-1", "alice")
    await sorting.receive(alert("a", start=-1))

    assert [g.state for g in await sorting.groups()] == ["RESOLVED", "FIRING"]
    assert (await records.record_of(sorting.db, "AL-2")).group is not None


async def test_many_at_once_are_all_stored_and_a_change_told_twice_is_one(sorting: SortingFixture) -> None:
    writer = IntakeWriter(sorting.db, lambda: None)
    writer.start()
    await asyncio.gather(*(writer.put([alert(f"f{n}")], [change("d1")], NOW) for n in range(50)))
    await writer.stop()

    assert len(await sorting.rows(AlertRow)) == 51
    assert [c.id for c in await Changes(sorting.db).since("checkout", at(-60))] == ["test:d1"]


async def test_a_database_without_its_tables_is_away_and_not_a_poisoned_row(sorting: SortingFixture) -> None:
    await sorting.db.close()
    gone = Database(sorting.db.url.replace("app.db", "none/app.db").replace("127.0.0.1:", "127.0.0.1:1"), clock=sorting.clock)
    lost = SortingFixture(gone, sorting.clock)

    assert not await gone.answers()
    with pytest.raises(DatabaseUnavailable):
        await lost.inbox.take(10)
    await gone.close()
    # The driver's thread of a connection that could not be opened ends a moment later, and tells the loop so.
    await wait_until(lambda: not any("_connection_worker" in thread.name for thread in threading.enumerate()))


async def test_two_replicas_that_sort_at_once_lose_and_double_nothing(sorting: SortingFixture) -> None:
    await sorting.store([alert(f"f{n}") for n in range(60)])
    other = SortingFixture(sorting.db, sorting.clock)

    async def drain(one: SortingFixture) -> None:
        while await one.inbox.take(7) is not None:
            await asyncio.sleep(0)

    await asyncio.gather(drain(sorting), drain(other))

    assert [(g.alerts, g.firing) for g in await sorting.groups()] == [(60, 60)]
    assert len(await sorting.rows(EpisodeRow)) == 61


async def test_replicas_that_look_at_once_at_what_was_resolved_too_early_open_it_again_once(sorting: SortingFixture) -> None:
    replicas = [EarlyResolveFixture(sorting) for _ in range(3)]
    await replicas[0].source_reports_ends()
    await replicas[0].resolved_while_firing()
    sorting.clock.forward(11)
    await asyncio.gather(*(replica.tick() for replica in replicas))
    await sorting.receive(alert("a"))

    (group,) = await sorting.groups()
    (line,) = await replicas[0].lines()
    assert (group.state, group.firing, group.reopened, group.repeats) == ("FIRING", 1, 1, 1)
    assert line.text.startswith("Alert a on checkout has not recovered 11 min after AL-1 was resolved by hand")


async def test_what_its_channel_refuses_is_kept_back_and_let_go_the_same(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    outbox, withheld = Outbox(sorting.db), WithheldMessages(sorting.db)
    card, _ = await outbox.with_parent("card:AL-1")

    assert await withheld.visibility_of(card) == Visibility("C1")
    await withheld.withhold(card, None, "is_archived", notice_in="C0", retry_in=timedelta(minutes=5))
    kept_back = await withheld.content("card:AL-1")
    assert [(due.key, due.channel) for due in await outbox.due()] == [("withheld:card:AL-1", "C0")]
    await outbox.sent("card:AL-1", 1, ts="1.0", channel="C1", edited=False)
    await withheld.released(card)

    let_go = await withheld.content("card:AL-1")
    assert kept_back is not None and (kept_back.ref, kept_back.severity, kept_back.reason) == ("AL-1", "SEV2", "is_archived")
    assert let_go is not None and let_go.reason == "" and (await outbox.due())[0].wanted_rev == 2


async def test_the_ticks_look_the_same(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    watch, drafts = PagingQueries(sorting.db), Postmortems(sorting.db)
    sorting.clock.forward(6)

    assert [group.ref for group in await watch.unacknowledged(timedelta(minutes=5))] == ["AL-1"]
    assert await watch.oldest_undelivered() == NOW
    assert await watch.refused_messages(timedelta(minutes=2), timedelta(hours=1)) == []
    assert await alarms(sorting.db) == ["no card stands in Slack for AL-1", "no triage was started for AL-1"]
    assert await sorting.inbox.unstarted() == [("AL-1", 1)]
    await incidents.resolve(sorting.db, "INC-1", "alice")
    assert [(due.incident.ref, due.n) for due in await drafts.due_drafts()] == [("INC-1", 1)]


async def test_what_waits_is_counted_until_it_is_done(sorting: SortingFixture) -> None:
    await sorting.store([alert("a", start=-5)])
    stored = await backlog(sorting.db)
    while await sorting.inbox.take(10) is not None:
        sorting.clock.forward(0)
    sorting.clock.forward(2)
    shown = await backlog(sorting.db)
    await incidents.resolve(sorting.db, "INC-1", "alice")

    assert (stored.unsorted_alerts, stored.unsent_messages, stored.open_incidents) == (1, 0, 0)
    assert (shown.unsorted_alerts, shown.unsent_seconds, shown.open_incidents) == (0, 120.0, 1) and shown.unsent_messages >= 1
    assert (await backlog(sorting.db)).open_incidents == 0


async def test_what_people_said_it_was_is_found_again_and_brings_a_new_draft(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    await incidents.resolve(sorting.db, "INC-1", "alice", "bad deploy")
    drafts = Postmortems(sorting.db)
    await drafts.save("INC-1", 1, [], "")
    sorting.clock.forward(5)
    later = ConfirmedCause(text="full disk", service="checkout", confirmed_by="bob", at=sorting.clock())
    await causes.confirm(sorting.db, "INC-1", later)

    (past,) = await PastIncidents(sorting.db, "", everything_public(sorting.db).recallable).confirmed(NOW - timedelta(days=1))
    assert (past.cause, past.alert_names) == (later, frozenset({"Alert a"}))
    assert [due.n for due in await drafts.due_drafts()] == [2]
    assert await audit.verify(sorting.db) is None


async def test_looks_that_failed_are_told_apart_from_those_that_saw(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    for call, ok in (("one", True), ("two", False)):
        evidence = Evidence(summary=f"look {call}", query="", ok=ok)
        await EvidenceLedger(sorting.db).record("AL-1", "search_logs", {"service": "checkout"}, call, evidence)
    partly = Evidence(summary="no change", query="", unseen=("no Argo CD",))
    await EvidenceLedger(sorting.db).record("AL-1", "recent_changes", {}, "three", partly)

    missed = await failed_checks(sorting.db, NOW - timedelta(days=1), {Visibility("C1")})
    assert sorted(look.summary for look in missed) == ["look two", "no Argo CD"]


async def test_a_closed_incident_with_a_confirmed_cause_becomes_a_case_once(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    triages, cases = Triages(sorting.db), Cases(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.ledger.record(
        "AL-1", "service_health", {"service": "checkout"}, "one", Evidence(summary="errors", query="up")
    )
    unranked = {"state": "done", "finished_at": NOW}
    await triages.update("AL-1", 1, **unranked)
    await incidents.resolve(sorting.db, "INC-1", "alice", "bad deploy")
    before = await cases.due_incidents()
    await triages.update("AL-1", 1, findings=Findings().model_dump(mode="json"))
    (wanted,) = await cases.due_incidents()
    await cases.freeze(wanted)

    assert (before, await cases.due_incidents()) == ([], [])
    assert [(case.ref, case.confirmed.text, len(case.entries)) for case in await cases.all()] == [("INC-1", "bad deploy", 1)]
    assert len(await cases.graded_pairs(NOW - timedelta(days=1), NOW + timedelta(days=1))) == 1


async def test_questions_that_come_at_once_set_aside_no_more_than_the_day_allows(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    questions, since = Questions(sorting.db), NOW - timedelta(days=1)
    numbers = [(await questions.put(f"k{n}", "is it the pool?", "ann", group="AL-1", incident="")).number for n in range(6)]

    allowed = await asyncio.gather(*(questions.reserve(number, 0.5, since=since, limit=1.2) for number in numbers))
    first = numbers[allowed.index(True)]
    await questions.answer(first, QuestionAnswer(), final=False)
    during = await dollars(sorting.db)
    await questions.answer(first, QuestionAnswer(usd=0.1), final=True)

    assert (sum(allowed), during, await dollars(sorting.db)) == (2, 1.0, 0.6)


async def test_replicas_that_ask_at_once_set_aside_no_more_than_the_day_allows(sorting: SortingFixture) -> None:
    # SQLite has one process, and so one writer.
    other = sorting.db if sorting.db.sqlite else Database(sorting.db.url, audit_key=b"key", clock=sorting.clock)
    await sorting.receive(alert("a"))
    here, there = Triages(sorting.db), Triages(other)
    for attempt in range(1, 13):
        await here.open("AL-1", attempt, "", "")

    since, limit = NOW - timedelta(days=1), 1.2
    asked = [(here, there)[n % 2].reserve("AL-1", n, 0.5, since=since, limit=limit) for n in range(1, 13)]
    allowed = await asyncio.gather(*asked)

    assert (sum(allowed), await dollars(sorting.db)) == (2, 1.0)
    await other.close()


async def test_what_is_private_stays_out_of_lists_and_of_what_the_audit_tells(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("s", labels={"service": "search"}))
    await set_private(sorting.db, "INC-1", "alice", private=True)

    async with sorting.db.read() as session:
        listed = [group.ref for group in await incident_rows.newest_public_groups(session)]
    told = {(row.what, row.subject): private for row, private in await records.audit_after(sorting.db, 0)}
    assert [episode.fingerprint for episode in await Alerts(sorting.db).public_episodes(state="firing")] == ["s", "first"]
    assert listed == ["AL-2"]
    assert told == {("declare", "INC-1"): True, ("declare", "INC-2"): False, ("private", "INC-1"): True}


async def test_a_silence_has_the_cards_that_it_covers_until_it_is_over(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"), alert("s", labels={"service": "search"}))

    await Silences(sorting.db).create(NewSilence({"service": "checkout"}, timedelta(hours=1), "alice", "deploy"), "k1")
    during = [(group.state, group.acknowledged_by) for group in await sorting.groups()]
    sorting.clock.forward(61)
    await sorting.receive()

    assert during == [("ACKNOWLEDGED", "alice"), ("FIRING", "")]
    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == [("FIRING", ""), ("FIRING", "")]
