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
from bot.core.errors import NotAllowed, NotFound
from bot.store import audit
from bot.store.approvals.policies import Considered
from bot.store.db.database import async_url
from bot.store.tables import AuditRow, MessageRow
from tests.unit.approving import CONFIG, Office

Replicas = Callable[..., Any]
_numbers = count()
NEW_DEPUTY = {"approvers": {"deputies": ["bob", "mallory"], "admins": ["root", "bob"]}}
"""Mallory may approve everything."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def replica(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Replicas]:
    """`await replica(**changes)` is a process that started with this file, on the database that all of them share."""
    url = f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    houses: list[Office] = []

    async def started(**changes: Any) -> Office:
        house = Office(async_url(url, tmp_path), deepcopy(changes))
        if houses:
            house.now = houses[-1].now
        else:
            await house.open()
        houses.append(house)
        await house.review.start()
        return house

    yield started
    for house in reversed(houses):
        await house.close()


async def reloaded(house: Office, who: str = "SIGHUP", **changes: Any) -> Considered:
    """What comes of a reload of a file with these changes."""
    fresh = Config.model_validate({**CONFIG, **changes})
    considered = await house.review.consider(fresh, who)
    vars(house.config).update(vars(fresh))
    house.review.hold_back(considered.held_back_to)
    return considered


async def trail(house: Office) -> list[tuple[str, str]]:
    async with house.db.read() as session:
        query = select(AuditRow).where(AuditRow.what == "policy").order_by(col(AuditRow.seq))
        return [(row.who, row.reason) for row in (await session.exec(query)).all()]


async def approves(house: Office, who: str) -> bool:
    """Whether somebody's approval of a new proposal counts."""
    proposal = await house.propose("rollback", key=f"k{next(_numbers)}")
    counted = (await house.press(proposal.ref, who)).counted
    await house.store.leave(proposal.ref, ProposalState.STOPPED)
    return counted


async def tampered(house: Office, *statements: str) -> None:
    """Whoever has the database's password, and not the audit's key, writes this past the bot."""
    async with house.db.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def roster(house: Office) -> Any:
    return await house.rotas.roster()


async def test_the_first_start_ever_has_nothing_to_compare_with(replica: Replicas) -> None:
    house = await replica(**NEW_DEPUTY)

    assert await approves(house, "mallory")
    assert await trail(house) == [("tocsin", "the first policy: there is nothing to compare it with")]


async def test_a_restart_with_a_wider_file_keeps_the_old_rights_until_a_second_person_agrees(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)

    assert not await approves(house, "mallory") and await approves(house, "bob")
    assert (await trail(house))[-1] == (
        "tocsin", "waits for a second person: mallory becomes a deputy, who may approve everything",
    )  # fmt: skip

    answer = await house.policies.confirm("POL-2", "root", await roster(house))

    assert answer == "POL-2 counts now, everywhere. The audit has it."
    assert await approves(house, "mallory")
    assert (await trail(house))[-1][0] == "root" and "POL-2 confirmed by root" in (await trail(house))[-1][1]


async def test_what_was_confirmed_on_one_replica_counts_on_the_others_and_after_a_restart(replica: Replicas) -> None:
    await replica()
    first, second = await replica(**NEW_DEPUTY), await replica(**NEW_DEPUTY)
    assert not await approves(second, "mallory")

    await first.policies.confirm("POL-2", "root", await roster(first))
    third = await replica(**NEW_DEPUTY)

    assert await approves(second, "mallory") and await approves(third, "mallory")
    assert sum("waits for a second person" in reason for _, reason in await trail(first)) == 1


async def test_two_reloads_at_once_ask_once(replica: Replicas) -> None:
    await replica()
    house = await replica()
    houses = [house, house if house.db.sqlite else await replica()]

    considered = await asyncio.gather(*(reloaded(house, **NEW_DEPUTY) for house in houses))

    assert {one.ref for one in considered} == {"POL-2"}


async def test_a_card_stands_in_the_default_channel(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)

    async with house.db.read() as session:
        (row,) = (await session.exec(select(MessageRow).where(MessageRow.kind == "policy"))).all()

    assert (row.channel, row.subject, row.key) == ("C0", "POL-2", "policy:POL-2")


@pytest.mark.parametrize("person", ["mallory", "alice", "carol", "", "bob"])
async def test_nobody_confirms_but_an_admin_or_owner_whom_it_does_not_favour(replica: Replicas, person: str) -> None:
    await replica()
    search = {"owners": ["bob"], "on_call": {"usergroup": "S1"}}
    approvers = {"deputies": ["bob", "mallory"], "admins": ["root", "bob", "mallory"]}
    house = await replica(approvers=approvers, services={**CONFIG["services"], "search": search})

    with pytest.raises(NotAllowed, match=r"^(You can't confirm this\. bob, owner or root can\.|It gives you more)"):
        await house.policies.confirm("POL-2", person, await roster(house))
    assert not await approves(house, "mallory")


async def test_whoever_had_it_loaded_does_not_confirm_it(replica: Replicas) -> None:
    house = await replica()
    considered = await reloaded(house, "root of this machine", **NEW_DEPUTY)

    with pytest.raises(NotAllowed, match="You had it loaded"):
        await house.policies.confirm(considered.ref, "root", await roster(house))
    assert "counts now" in await house.policies.confirm(considered.ref, "owner", await roster(house))


async def test_what_was_rejected_stays_held_back_and_a_restart_does_not_ask_again(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)
    await house.policies.reject("POL-2", "owner", await roster(house))
    again = await replica(**NEW_DEPUTY)

    assert not await approves(again, "mallory")
    assert "is rejected by owner" in await again.policies.confirm("POL-2", "root", await roster(again))
    assert (await reloaded(again, **NEW_DEPUTY)).ref == "POL-3", "a reload asks again"


async def test_what_nobody_confirms_within_a_day_is_over(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)
    house.pass_time(hours=24)
    await house.policies.expire()

    assert "POL-2 is expired" in await house.policies.confirm("POL-2", "root", await roster(house))
    assert not await approves(house, "mallory")


async def test_a_narrower_file_counts_at_once_and_the_next_one_is_compared_with_it(replica: Replicas) -> None:
    house = await replica()
    considered = await reloaded(house, approvers={"admins": ["root"]})
    assert considered.held_back_to is None and not await approves(house, "bob")

    house.pass_time(minutes=16)
    assert "bob becomes a deputy, who may approve everything" in (await reloaded(house)).gains
    assert not await approves(house, "bob")


async def test_a_mistake_is_taken_back_without_a_second_person(replica: Replicas) -> None:
    house = await replica()
    await reloaded(house, approvers={})
    house.pass_time(minutes=14)

    assert (await reloaded(house)).held_back_to is None
    assert await approves(house, "bob") and (await trail(house))[-1][1] == "what counted just now, again"


async def test_an_empty_file_is_no_way_round(replica: Replicas) -> None:
    house = await replica()
    await house.review.consider(Config(), "SIGHUP")
    house.pass_time(days=2)

    considered = await reloaded(house, **NEW_DEPUTY)

    assert considered.gains == ["mallory becomes a deputy, who may approve everything"]
    assert (await reloaded(house)).held_back_to is None, "the file of before counts as it did"


async def test_what_is_stored_about_a_policy_gives_no_right_without_the_key(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)
    await tampered(
        house,
        "UPDATE policies SET state = 'in force'",
        'INSERT INTO audit (at, who, what, subject, "before", after, reason, policy, message, prev, hash) '
        "SELECT at, 'root', what, 'policy in force', \"before\", after, reason, policy, message, hash, hash "
        "FROM audit ORDER BY seq DESC LIMIT 1",
    )

    assert not await approves(house, "mallory")
    assert await audit.verify(house.db) is not None


async def test_a_policy_that_was_changed_in_the_database_gives_nobody_a_right(replica: Replicas) -> None:
    await replica()
    house = await replica(**NEW_DEPUTY)
    await tampered(house, "UPDATE policies SET content = (SELECT content FROM policies WHERE id = 2) WHERE id = 1")
    with pytest.raises(NotAllowed, match="What counts has changed"):
        await house.policies.confirm("POL-2", "root", await roster(house))

    restarted = await replica(**NEW_DEPUTY)

    assert not await approves(restarted, "mallory") and not await approves(restarted, "bob")
    assert await approves(await replica(), "bob"), "the file that counted counts"


async def test_the_row_of_the_policy_in_force_outlives_the_pruning_of_the_audit(replica: Replicas) -> None:
    await replica()
    house = await replica()
    async with house.db.write() as session:
        for number in range(210):
            await audit.append(house.db, session, who="x", what="y", subject=str(number))
    house.pass_time(days=2000)
    await audit.prune(house.db, house.now - timedelta(days=1000))

    assert (await reloaded(house, **NEW_DEPUTY)).held_back_to is not None
    assert await audit.verify(house.db) is None


async def test_a_policy_that_does_not_exist_is_not_found(replica: Replicas) -> None:
    house = await replica()

    with pytest.raises(NotFound, match="There is no policy POL-7"):
        await house.policies.confirm("POL-7", "root", await roster(house))


async def test_a_lower_tier_waits_and_what_is_proposed_meanwhile_has_the_old_one(replica: Replicas) -> None:
    await replica()
    actions = {**CONFIG["actions"], "failover": {**CONFIG["actions"]["failover"], "tier": 2}}
    house = await replica(actions=actions)

    assert (await house.propose("failover")).tier is Tier.THREE
