"""Nothing grows for ever: what is old and over is deleted, what is open or young stays, on both databases."""

import asyncio
from datetime import timedelta

from sqlalchemy import Table, func
from sqlmodel import SQLModel, select

from bot.core.alerts.silences import NewSilence
from bot.core.alerts.ties.topology import CallSource
from bot.core.config import Config
from bot.core.config.retention import Retention
from bot.core.evidence import Evidence
from bot.store import audit
from bot.store.alerts.silences import Silences
from bot.store.alerts.ties.learned import LearnedTopology
from bot.store.answers.postmortems import Postmortems
from bot.store.answers.questions import Questions
from bot.store.incidents import incidents
from bot.store.retention.ownership import owned_by
from bot.store.retention.pruning import BATCH, Pruning
from bot.store.retention.sizes import sizes
from bot.store.tables import (
    AlertRow,
    AttemptRow,
    ChangeRow,
    ClaimRow,
    DecisionRow,
    EvidenceRow,
    GroupRow,
    MessageRow,
    ProposalRow,
    RepeatRow,
    SeenRow,
    SilenceRow,
    UnreadableRow,
)
from bot.store.triage.triage import Triages
from tests.unit.builders import NOW, at
from tests.unit.store.databases import SortingFixture, alert

DEFAULTS = Retention()
BOUNDED = {
    "cursors",
    "sources",
    "heartbeats",
    "usergroups",
    "switches",
    "repeats",
    "grouping_rules",
    "call_reads",
    "cascades",
} | {"break_glass", "policies"}
"""A row for each thing that is configured, or that people turned or made; what is counted within seconds; at most so many."""
PRUNED_BY_AGE = {
    *("alerts", "unreadable", "episodes", "pages", "seen", "changes", "timeline", "questions", "messages", "audit"),
    *("silences", "calls"),
}
WITH_THEIR_OWNER = {"groups", "incidents", "pictures"}


async def one_incident(sorting: SortingFixture) -> None:
    """AL-1 with INC-1: evidence, a graph, a question, a proposal that ran, a draft, messages; resolved."""
    await sorting.receive(alert("a", start=-5))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    for call in range(3):
        await triages.ledger.record("AL-1", "service_health", {}, str(call), Evidence(summary="errors", query="up"))
    await triages.keep_picture("triage:AL-1:1", b"png", "alt", "title")
    await Questions(sorting.db).put("k", "is it the pool?", "ann", group="AL-1", incident="INC-1")
    async with sorting.db.write() as session:
        session.add(
            ProposalRow(
                key="p", group_id=1, incident_id=1, service="checkout", action="rollback", record={}, plan_fingerprint="f",
                state="succeeded", dry_run_at=NOW, expires_at=NOW, created_at=NOW, changed_at=NOW,
            )
        )  # fmt: skip
        session.add(
            DecisionRow(
                proposal_id=1, revision=1, person="bob", team="T", slack_user="U", verdict="approve",
                plan_fingerprint="f", at=NOW,
            )
        )  # fmt: skip
        session.add(ClaimRow(proposal_id=1, workflow="w", service="checkout", targets=[], at=NOW))
        session.add(AttemptRow(proposal_id=1, idempotency_key="i", state="done", at=NOW))
        session.add(UnreadableRow(source="prod", received_at=NOW, problem="no JSON", body=b"{"))
        session.add(SeenRow(key="press", at=NOW))
    await incidents.resolve(sorting.db, "INC-1", "alice", "bad deploy")
    await Postmortems(sorting.db).save("INC-1", 1, [], "# INC-1")


async def rows(sorting: SortingFixture) -> dict[str, int]:
    async with sorting.db.read() as session:
        tables: list[Table] = list(SQLModel.metadata.tables.values())
        counts = {table.name: (await session.exec(select(func.count()).select_from(table))).one() for table in tables}
    return {name: count for name, count in counts.items() if count}


async def prune(sorting: SortingFixture, days: float, retention: Retention = DEFAULTS) -> dict[str, int]:
    """One round so many days after NOW; what was deleted."""

    async def at_once(_: float) -> None:
        return None

    sorting.clock.now = NOW + timedelta(days=days)
    return dict(await Pruning(sorting.db, Config(retention=retention), pause=at_once)())


def test_every_table_is_pruned_or_does_not_grow() -> None:
    owned = {table.name for column in ("group_id", "incident_id", "proposal_id") for table in owned_by(column)}

    assert BOUNDED | PRUNED_BY_AGE | WITH_THEIR_OWNER | owned == set(SQLModel.metadata.tables)


async def test_an_old_resolved_incident_goes_with_everything_that_belongs_to_it(sorting: SortingFixture) -> None:
    await one_incident(sorting)

    await prune(sorting, 401)

    left = await rows(sorting)
    assert left.keys() - BOUNDED == {"audit"} and await audit.verify(sorting.db) is None


async def test_nothing_of_a_younger_incident_is_lost_but_the_deliveries_as_they_came(sorting: SortingFixture) -> None:
    await one_incident(sorting)
    before = await rows(sorting)

    deleted = await prune(sorting, 29)

    assert deleted == {"alerts": 2, "seen": 1}
    assert {name: count for name, count in before.items() if name not in deleted} == await rows(sorting)


async def test_an_open_group_keeps_its_messages_and_evidence_however_old_it_is(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.ledger.record("AL-1", "service_health", {}, "1", Evidence(summary="errors", query="up"))
    async with sorting.db.write() as session:
        card = await session.get(MessageRow, "card:AL-1")
        assert card is not None
        card.sent_rev, card.sent_at = card.wanted_rev, NOW
    before = await rows(sorting)

    await prune(sorting, 4_000, Retention(audit=timedelta(days=5_000)))

    kept = {"groups", "incidents", "evidence", "triages", "messages", "timeline", "audit"}
    assert {name: before[name] for name in kept} == {name: (await rows(sorting)).get(name) for name in kept}
    assert [row.fingerprint for row in await sorting.episodes()] == ["a"]


async def test_a_silence_goes_long_after_its_end_and_never_before_its_alerts_were_shown_again(sorting: SortingFixture) -> None:
    silences = Silences(sorting.db)
    for number in range(2):
        await silences.create(NewSilence({"alertname": "Alert a"}, timedelta(hours=1), "alice", "deploy"), f"k{number}")
    async with sorting.db.write() as session:
        first = await session.get(SilenceRow, 1)
        assert first is not None
        first.released = True
    assert "silences" not in await prune(sorting, 399)

    assert (await prune(sorting, 401))["silences"] == 1
    assert [row.id for row in await sorting.rows(SilenceRow)] == [2]


async def test_a_call_that_nobody_saw_for_a_month_goes(sorting: SortingFixture) -> None:
    await LearnedTopology(sorting.db).note_calls(CallSource.TRACES, [("checkout", "redis")])
    assert "calls" not in await prune(sorting, 29)

    assert (await prune(sorting, 31))["calls"] == 1


async def test_a_delivery_that_is_not_sorted_yet_is_never_deleted(sorting: SortingFixture) -> None:
    await sorting.store([alert("b")])

    await prune(sorting, 100)

    assert [row.fingerprint for row in await sorting.rows(AlertRow)] == ["b"]


async def test_no_delivery_is_deleted_while_a_repeat_of_one_still_waits(sorting: SortingFixture) -> None:
    async with sorting.db.write() as session:
        session.add(RepeatRow(source="prod", received_at=NOW, after=1, alerts=[1]))

    await prune(sorting, 100)

    assert [row.fingerprint for row in await sorting.rows(AlertRow)] == ["first"]


async def test_a_large_group_goes_in_small_batches(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", start=-5) for n in range(BATCH * 2 + 1)))
    await incidents.resolve(sorting.db, "INC-1", "alice")
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    sorting.clock.now = NOW + timedelta(days=401)
    await Pruning(sorting.db, Config(), pause=pause)()

    assert (await rows(sorting)).keys() - BOUNDED == {"audit"} and len(pauses) >= 5


async def test_references_of_deleted_groups_are_never_given_again(sorting: SortingFixture) -> None:
    await one_incident(sorting)
    await prune(sorting, 401)
    await sorting.receive(alert("z", start=401 * 24 * 60))

    assert [row.id for row in await sorting.rows(GroupRow)] == [2]


async def test_changes_are_kept_as_long_as_incidents(sorting: SortingFixture) -> None:
    async with sorting.db.write() as session:
        session.add(ChangeRow(id="d1", at=NOW, service="checkout", kind="deploy", title="deploy", received_at=NOW))

    assert "changes" not in await prune(sorting, 399) and (await prune(sorting, 401))["changes"] == 1


# ---------------------------------------------------------------- the audit


async def fill(sorting: SortingFixture, entries: int) -> None:
    async with sorting.db.write() as session:
        for number in range(entries):
            await audit.append(sorting.db, session, who="alice", what="ack", subject=f"AL-{number}")


async def test_the_beginning_of_the_audit_is_cut_off_and_the_rest_can_be_verified(sorting: SortingFixture) -> None:
    await fill(sorting, 450)

    deleted = await prune(sorting, 1_826)

    left = await audit.after(sorting.db, 0, 1_000)
    assert deleted["audit"] == 400 and [row.what for row in left[-2:]] == ["audit pruned"] * 2
    assert await audit.verify(sorting.db) is None


async def test_a_row_that_somebody_removed_besides_is_noticed(sorting: SortingFixture) -> None:
    await fill(sorting, 450)
    await prune(sorting, 1_826)
    (first, *_) = await audit.after(sorting.db, 0)
    async with sorting.db.write() as session:
        await session.delete(await session.get(type(first), first.seq))

    (next_one, *_) = await audit.after(sorting.db, 0)
    assert await audit.verify(sorting.db) == next_one.seq


async def test_the_audit_of_last_year_stays(sorting: SortingFixture) -> None:
    await fill(sorting, 450)

    assert "audit" not in await prune(sorting, 500)


# ---------------------------------------------------------------- sizes


async def test_the_sizes_name_the_tables(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-5))
    async with sorting.db.write() as session:
        text = {"summary": "x" * 200_000}
        session.add(EvidenceRow(group_id=1, n=1, key="k", tool="t", arguments={}, at=at(0), evidence=text))

    url = sorting.db.url.replace("+aiosqlite", "").replace("+psycopg", "")
    tables = {one.table: one.size for one in await asyncio.to_thread(sizes, url)}

    assert {"alerts", "evidence", "episodes"} <= tables.keys() and all(size > 0 for size in tables.values() if size)
