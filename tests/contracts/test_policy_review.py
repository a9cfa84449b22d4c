"""A policy that gives more counts once a second person agrees: on both databases, on every replica, over restarts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from bot.core.action import ProposalState, Tier
from bot.core.config import Config
from bot.core.config.policy_snapshot import PolicySnapshot
from bot.core.errors import NotAllowed, NotFound
from bot.store import audit
from bot.store.approvals.policies.policies import Policies, PolicyReviewResult
from bot.store.db.database import async_url
from bot.store.tables import AuditRow, MessageRow
from bot.workflows.policy_review import PolicyReview
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture

Replicas = Callable[..., Any]
_numbers = count()
NEW_DEPUTY: dict[str, Any] = {"approvers": {"deputies": ["bob", "mallory"], "admins": ["root", "bob"]}}
"""Mallory may approve everything."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def replica(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Replicas]:
    """`await replica(**changes)` is a process that started with this file, on the database that all of them share."""
    url = f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    fixtures: list[ApprovalsFixture] = []

    async def started(**changes: Any) -> ApprovalsFixture:
        fixture = ApprovalsFixture(async_url(url, tmp_path), deepcopy(changes))
        if fixtures:
            fixture.now = fixtures[-1].now
        else:
            await fixture.open()
        fixtures.append(fixture)
        await fixture.review.start()
        return fixture

    yield started
    for fixture in reversed(fixtures):
        await fixture.close()


async def reloaded(fixture: ApprovalsFixture, who: str = "SIGHUP", **changes: Any) -> PolicyReviewResult:
    """What comes of a reload of a file with these changes."""
    fresh = Config.model_validate({**CONFIG, **changes})
    considered = await fixture.review.consider(fresh, who)
    vars(fixture.config).update(vars(fresh))
    fixture.review.hold_back(considered.held_back_to)
    return considered


async def trail(fixture: ApprovalsFixture) -> list[tuple[str, str]]:
    async with fixture.db.read() as session:
        query = select(AuditRow).where(AuditRow.what == "policy").order_by(col(AuditRow.seq))
        return [(row.who, row.reason) for row in (await session.exec(query)).all()]


async def approves(fixture: ApprovalsFixture, who: str) -> bool:
    """Whether somebody's approval of a new proposal counts."""
    proposal = await fixture.propose("rollback", key=f"k{next(_numbers)}")
    counted = (await fixture.press(proposal.ref, who)).counted
    await fixture.store.leave(proposal.ref, ProposalState.STOPPED)
    return counted


async def tampered(fixture: ApprovalsFixture, *statements: str) -> None:
    """Whoever has the database's password, and not the audit's key, writes this past the bot."""
    async with fixture.db.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def copied_to_the_end(fixture: ApprovalsFixture, policy: int, *, reason: str = "reason", times: int = 1) -> None:
    """Rows that say that the n-th policy counts, written behind the last by whoever has the database."""
    await tampered(
        fixture,
        *[
            'INSERT INTO audit (at, who, what, subject, "before", after, reason, policy, message, prev, hash) '
            f'SELECT at, who, what, subject, "before", after, {reason}, policy, message, prev, hash FROM audit '
            f"WHERE subject = 'policy in force' ORDER BY seq LIMIT 1 OFFSET {policy - 1}"
        ]
        * times,
    )


async def agree(fixture: ApprovalsFixture, ref: str, *people: str) -> str:
    """The answer to the last of them."""
    answers = [await fixture.policies.confirm(ref, person, await roster(fixture)) for person in people]
    return answers[-1]


async def roster(fixture: ApprovalsFixture) -> Any:
    return await fixture.rotas.roster()


async def test_the_first_start_ever_has_nothing_to_compare_with(replica: Replicas) -> None:
    fixture = await replica(**NEW_DEPUTY)

    assert await approves(fixture, "mallory")
    assert await trail(fixture) == [("tocsin", "the first policy: there is nothing to compare it with")]


async def test_a_restart_with_a_wider_file_keeps_the_old_rights_until_a_second_person_agrees(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)

    assert not await approves(fixture, "mallory") and await approves(fixture, "bob")
    assert (await trail(fixture))[-1] == (
        "tocsin", "waits for a second person: mallory becomes a deputy, who may approve everything",
    )  # fmt: skip

    answer = await agree(fixture, "POL-2", "owner", "root")

    assert answer == "POL-2 counts now, everywhere. The audit has it."
    assert await approves(fixture, "mallory")
    assert (await trail(fixture))[-1][0] == "root" and "POL-2 confirmed by owner and root" in (await trail(fixture))[-1][1]


async def test_what_was_confirmed_on_one_replica_counts_on_the_others_and_after_a_restart(replica: Replicas) -> None:
    await replica()
    first, second = await replica(**NEW_DEPUTY), await replica(**NEW_DEPUTY)
    assert not await approves(second, "mallory")

    await agree(first, "POL-2", "root", "owner")
    third = await replica(**NEW_DEPUTY)

    assert await approves(second, "mallory") and await approves(third, "mallory")
    assert sum("waits for a second person" in reason for _, reason in await trail(first)) == 1


async def test_two_reloads_at_once_ask_once(replica: Replicas) -> None:
    await replica()
    fixture = await replica()
    fixtures = [fixture, fixture if fixture.db.sqlite else await replica()]

    considered = await asyncio.gather(*(reloaded(fixture, **NEW_DEPUTY) for fixture in fixtures))

    assert {one.ref for one in considered} == {"POL-2"}


async def test_a_card_stands_in_the_default_channel(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)

    async with fixture.db.read() as session:
        (row,) = (await session.exec(select(MessageRow).where(MessageRow.kind == "policy"))).all()

    assert (row.channel, row.subject, row.key) == ("C0", "POL-2", "policy:POL-2")


@pytest.mark.parametrize("person", ["mallory", "alice", "carol", "", "bob"])
async def test_nobody_confirms_but_an_admin_or_owner_whom_it_does_not_favour(replica: Replicas, person: str) -> None:
    await replica()
    search = {"owners": ["bob"], "on_call": {"usergroup": "S1"}}
    approvers = {"deputies": ["bob", "mallory"], "admins": ["root", "bob", "mallory"]}
    fixture = await replica(approvers=approvers, services={**CONFIG["services"], "search": search})

    with pytest.raises(NotAllowed, match=r"^(You can't confirm this\. bob, owner or root can\.|It gives you more)"):
        await fixture.policies.confirm("POL-2", person, await roster(fixture))
    assert not await approves(fixture, "mallory")


async def test_whoever_had_it_loaded_does_not_confirm_it(replica: Replicas) -> None:
    fixture = await replica()
    considered = await reloaded(fixture, "root of this machine", **NEW_DEPUTY)

    with pytest.raises(NotAllowed, match="You had it loaded"):
        await fixture.policies.confirm(considered.ref, "root", await roster(fixture))
    assert "counts now" in await fixture.policies.confirm(considered.ref, "owner", await roster(fixture))


async def test_what_was_rejected_stays_held_back_and_a_restart_does_not_ask_again(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    await fixture.policies.reject("POL-2", "owner", await roster(fixture))
    again = await replica(**NEW_DEPUTY)

    assert not await approves(again, "mallory")
    assert "is rejected by owner" in await again.policies.confirm("POL-2", "root", await roster(again))
    assert (await reloaded(again, **NEW_DEPUTY)).ref == "POL-3", "a reload asks again"


async def test_what_nobody_confirms_within_a_day_is_over(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    fixture.pass_time(hours=24)
    await fixture.policies.expire()

    assert "POL-2 is expired" in await fixture.policies.confirm("POL-2", "root", await roster(fixture))
    assert not await approves(fixture, "mallory")


async def test_a_narrower_file_counts_at_once_and_the_next_one_is_compared_with_it(replica: Replicas) -> None:
    fixture = await replica()
    considered = await reloaded(fixture, approvers={"admins": ["root"]})
    assert considered.held_back_to is None and not await approves(fixture, "bob")

    fixture.pass_time(minutes=16)
    assert "bob becomes a deputy, who may approve everything" in (await reloaded(fixture)).gains
    assert not await approves(fixture, "bob")


async def test_a_mistake_is_taken_back_without_a_second_person(replica: Replicas) -> None:
    fixture = await replica()
    await reloaded(fixture, approvers={})
    fixture.pass_time(minutes=14)

    assert (await reloaded(fixture)).held_back_to is None
    assert await approves(fixture, "bob") and (await trail(fixture))[-1][1] == "what counted just now, again"


async def test_an_empty_file_is_no_way_round(replica: Replicas) -> None:
    fixture = await replica()
    await fixture.review.consider(Config(), "SIGHUP")
    fixture.pass_time(days=2)

    considered = await reloaded(fixture, **NEW_DEPUTY)

    assert considered.gains == ["mallory becomes a deputy, who may approve everything"]
    assert (await reloaded(fixture)).held_back_to is None, "the file of before counts as it did"


async def test_what_is_stored_about_a_policy_gives_no_right_without_the_key(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    await tampered(
        fixture,
        "UPDATE policies SET state = 'in force'",
        'INSERT INTO audit (at, who, what, subject, "before", after, reason, policy, message, prev, hash) '
        "SELECT at, 'root', what, 'policy in force', \"before\", after, reason, policy, message, hash, hash "
        "FROM audit ORDER BY seq DESC LIMIT 1",
    )

    assert not await approves(fixture, "mallory")
    assert await audit.verify(fixture.db) is not None


async def test_a_policy_that_was_changed_in_the_database_gives_nobody_a_right(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    await tampered(fixture, "UPDATE policies SET content = (SELECT content FROM policies WHERE id = 2) WHERE id = 1")
    with pytest.raises(NotAllowed, match="What counts has changed"):
        await fixture.policies.confirm("POL-2", "root", await roster(fixture))

    restarted = await replica(**NEW_DEPUTY)

    assert not await approves(restarted, "mallory") and not await approves(restarted, "bob")
    assert await approves(await replica(), "bob"), "the file that counted counts"


async def test_the_row_of_the_policy_in_force_outlives_the_pruning_of_the_audit(replica: Replicas) -> None:
    await replica()
    fixture = await replica()
    async with fixture.db.write() as session:
        for number in range(210):
            await audit.append(fixture.db, session, who="x", what="y", subject=str(number))
    fixture.pass_time(days=2000)
    await audit.prune(fixture.db, fixture.now - timedelta(days=1000))

    assert (await reloaded(fixture, **NEW_DEPUTY)).held_back_to is not None
    assert await audit.verify(fixture.db) is None


async def test_a_policy_that_does_not_exist_is_not_found(replica: Replicas) -> None:
    fixture = await replica()

    with pytest.raises(NotFound, match="There is no policy POL-7"):
        await fixture.policies.confirm("POL-7", "root", await roster(fixture))


async def test_a_lower_tier_waits_and_what_is_proposed_meanwhile_has_the_old_one(replica: Replicas) -> None:
    await replica()
    actions = {**CONFIG["actions"], "failover": {**CONFIG["actions"]["failover"], "tier": 2}}
    fixture = await replica(actions=actions)

    assert (await fixture.propose("failover")).tier is Tier.THREE


async def test_where_nobody_knows_who_loaded_it_one_person_is_not_enough(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)

    answer = await agree(fixture, "POL-2", "root", "root")

    assert answer == "You agree to POL-2. Nothing counts yet: one more person has to confirm it. bob or owner can."
    assert not await approves(fixture, "mallory")
    waiting = await fixture.policies.waiting()
    assert waiting is not None and waiting.agreed == ("root",)
    assert waiting.who_may == "bob, owner or root can confirm it: it takes two of them."
    fixture.pass_time(hours=23, minutes=59)
    assert "counts now" in await agree(fixture, "POL-2", "owner")


async def test_who_agreed_is_read_from_the_keyed_audit_and_not_from_what_somebody_wrote_there(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    await agree(fixture, "POL-2", "root")
    await tampered(fixture, "UPDATE audit SET who = 'owner' WHERE message = 'agreed'")

    assert "one more person" in await agree(fixture, "POL-2", "root")
    await tampered(fixture, "UPDATE policies SET asked_by = 'carol of this machine'")
    with pytest.raises(NotAllowed, match="What is stored is not what was shown"):
        await agree(fixture, "POL-2", "owner")


async def test_a_copied_row_does_not_bring_an_older_policy_back(replica: Replicas) -> None:
    fixture = await replica(**NEW_DEPUTY)
    fixture.pass_time(days=1)
    await reloaded(fixture)
    fixture.pass_time(days=90)
    await copied_to_the_end(fixture, 1)

    assert (await reloaded(fixture, **NEW_DEPUTY)).held_back_to is not None
    assert not await approves(fixture, "mallory")


async def test_rows_of_somebody_without_the_key_do_not_hide_the_policy_that_counts(replica: Replicas) -> None:
    fixture = await replica()
    fixture.pass_time(days=1)
    await copied_to_the_end(fixture, 1, reason="'junk'", times=30)
    await tampered(fixture, "UPDATE audit SET at = '2030-01-01 00:00:00' WHERE reason = 'junk'")

    assert (await reloaded(fixture, **NEW_DEPUTY)).held_back_to is not None
    assert not await approves(fixture, "mallory")


async def test_pruning_keeps_the_policy_that_counts_and_not_what_was_written_behind_it(replica: Replicas) -> None:
    fixture = await replica(**NEW_DEPUTY)
    fixture.pass_time(days=1)
    await reloaded(fixture)
    async with fixture.db.write() as session:
        for number in range(210):
            await audit.append(fixture.db, session, who="x", what="y", subject=str(number))
    await copied_to_the_end(fixture, 1)
    await copied_to_the_end(fixture, 1, reason="'junk'")
    fixture.pass_time(days=2000)
    assert await audit.prune(fixture.db, fixture.now - timedelta(days=1000)) == 200

    assert (await reloaded(fixture)).held_back_to is None
    assert (await reloaded(fixture, **NEW_DEPUTY)).held_back_to is not None, "also within a quarter of an hour after it"


async def test_a_clock_that_is_behind_does_not_undo_what_was_confirmed(replica: Replicas) -> None:
    await replica()
    fixture = await replica(**NEW_DEPUTY)
    fixture.pass_time(seconds=-3)

    assert "counts now" in await agree(fixture, "POL-2", "root", "owner")
    assert await approves(fixture, "mallory")


async def test_what_a_reload_holds_back_is_not_given_by_an_older_answer_of_the_database(replica: Replicas) -> None:
    fixture = await replica()
    answered, reloaded_meanwhile = asyncio.Event(), asyncio.Event()
    review = PolicyReview(AnswersLate(fixture, answered, reloaded_meanwhile), fixture.config, lambda _: {}, lambda: None)
    refreshing = asyncio.create_task(review.refresh())
    await answered.wait()
    wide = Config.model_validate({**CONFIG, **NEW_DEPUTY})
    considered = await review.consider(wide, "SIGHUP")
    vars(fixture.config).update(vars(wide))
    review.hold_back(considered.held_back_to)
    reloaded_meanwhile.set()
    await refreshing

    assert considered.held_back_to is not None and fixture.config.confirmed is not None


class AnswersLate(Policies):
    """The first answer leaves the database before a reload, and arrives after it."""

    def __init__(self, fixture: ApprovalsFixture, answered: asyncio.Event, go_on: asyncio.Event) -> None:
        super().__init__(fixture.db, lambda: "C0")
        self._answered, self._go_on = answered, go_on

    async def held_back_to(self, new: PolicySnapshot) -> PolicySnapshot | None:
        answer = await super().held_back_to(new)
        self._answered.set()
        await self._go_on.wait()
        return answer


BOB_DEPUTY: dict[str, Any] = {
    "approvers": {"deputies": ["bob"], "admins": ["root"]},
    "services": {**CONFIG["services"], "checkout": {**CONFIG["services"]["checkout"], "owners": []}},
}
"""The only admin is root, and nobody owns anything."""
WITHOUT_ROOT = {name: person for name, person in CONFIG["people"].items() if name != "root"}
CAROL_ADMIN: dict[str, Any] = {**BOB_DEPUTY, "people": WITHOUT_ROOT, "approvers": {"deputies": ["bob"], "admins": ["carol"]}}
ROOT_GONE: dict[str, Any] = {**BOB_DEPUTY, "people": WITHOUT_ROOT, "approvers": {"deputies": ["bob"]}}


async def test_two_who_had_a_role_stand_in_for_the_only_admin_who_left(replica: Replicas) -> None:
    fixture = await replica(**BOB_DEPUTY)
    ref = (await reloaded(fixture, **CAROL_ADMIN)).ref
    for nobody in ("root", "owner", "carol"):
        with pytest.raises(NotAllowed, match=r"alice, bob or carol can|It gives you more"):
            await agree(fixture, ref, nobody)

    assert "one more person" in await agree(fixture, ref, "bob")
    assert "counts now" in await agree(fixture, ref, "alice")


async def test_whoever_was_taken_out_is_not_put_back_by_one_person(replica: Replicas) -> None:
    fixture = await replica(**BOB_DEPUTY)
    await reloaded(fixture, **ROOT_GONE)
    fixture.pass_time(minutes=14)
    assert (await reloaded(fixture, **BOB_DEPUTY)).held_back_to is None, "a mistake is taken back"

    await reloaded(fixture, **ROOT_GONE)
    fixture.pass_time(days=30)
    considered = await reloaded(fixture, **BOB_DEPUTY)

    assert "root becomes an admin, who lets automation run again" in considered.gains
    assert "counts now" in await agree(fixture, considered.ref, "alice", "bob")


async def test_whoever_takes_all_others_out_waits_a_day_to_confirm_alone(replica: Replicas) -> None:
    only_bob: dict[str, Any] = {"people": {"bob": CONFIG["people"]["bob"]}, "services": {}, "approvers": {"deputies": ["bob"]}}
    more: dict[str, Any] = {**only_bob, "approvers": {"deputies": ["bob"], "admins": ["bob"]}}
    fixture = await replica(**BOB_DEPUTY)
    await reloaded(fixture, **only_bob)
    ref = (await reloaded(fixture, **more)).ref
    with pytest.raises(NotAllowed, match="less than a day ago root could"):
        await agree(fixture, ref, "bob")

    fixture.pass_time(days=1, seconds=1)
    ref = (await reloaded(fixture, **more)).ref
    assert "counts now" in await agree(fixture, ref, "bob")
