"""A private incident: who makes it one, and who finds it then."""

import pytest

from bot.commands.declare import declare
from bot.commands.private import private
from bot.core.actor import ChannelAccess, Visibility
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import Request
from bot.ports import Run
from bot.store import audit
from bot.store.incidents import incidents, overview
from bot.store.incidents import rows as incident_rows
from bot.store.incidents.privacy import set_private
from bot.store.triage.past_incidents import PastIncidents
from bot.workflows.read_access import ReadAccess
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.commands.using import use
from tests.unit.readers import everything_public


async def uninvestigated(_run: Run, *_: object) -> None:
    """A triage that nobody waits for."""


def reading(fixture: ApprovalsFixture) -> ReadAccess:
    """C1 is a public channel with one member, alice."""

    async def access(_channel: str) -> ChannelAccess:
        return ChannelAccess()

    async def members(channel: str) -> frozenset[str]:
        return frozenset({actor("alice").user}) if channel == "C1" else frozenset()

    return ReadAccess(fixture.db, access, members)


async def found(fixture: ApprovalsFixture, who: str, channel: str) -> tuple[bool, bool]:
    """Whether somebody reads INC-1, and whether it stands in their lists."""
    request = Request(verb="list", actor=actor(who), channel=channel, ref="INC-1")
    criteria = overview.ListCriteria(await reading(fixture).readable(request))
    rows = await overview.groups(fixture.db, criteria)
    return await reading(fixture).may_read(request, "INC-1"), any(row.incident == "INC-1" for row in rows)


async def test_a_private_incident_is_found_by_members_of_its_channel_and_where_it_stands_alone(
    fixture: ApprovalsFixture,
) -> None:
    assert await found(fixture, "bob", "C2") == (True, True)

    reply = await use(fixture, private, "alice", ref="INC-1", text="")

    assert "only members of its channel read it" in reply.text
    assert await found(fixture, "bob", "C2") == (False, False)
    assert await found(fixture, "alice", "C2") == (True, True)
    assert await found(fixture, "bob", "C1") == (True, True)
    assert [row.after for row in await audit.after(fixture.db, 0) if row.what == "private"] == ["private"]


async def test_an_answer_about_it_stands_in_no_other_channel(fixture: ApprovalsFixture) -> None:
    subject = await overview.subject_of(fixture.db, "INC-1")
    assert await reading(fixture).may_answer_in(subject.visibility, "C2")

    await set_private(fixture.db, "INC-1", "alice", private=True)

    hidden = (await overview.subject_of(fixture.db, "AL-1")).visibility
    assert hidden == Visibility("C1", is_private=True) and not await reading(fixture).may_answer_in(hidden, "C2")
    assert await reading(fixture).may_answer_in(hidden, "C1") and await reading(fixture).may_answer_in(hidden, "D9")


async def test_who_has_no_part_in_the_service_does_not_decide_who_reads(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotAllowed, match="Nothing was changed"):
        await use(fixture, private, "frank", ref="INC-1", text="")

    assert await found(fixture, "bob", "C2") == (True, True)


async def test_one_that_is_declared_private_is_so_from_the_first_moment(fixture: ApprovalsFixture) -> None:
    fixture.engine.register("triage", uninvestigated)
    options = {"sev": "2", "private": "yes"}
    await use(fixture, declare, "bob", ref="", text="keys leaked", options=options, entry_point="slash")
    with pytest.raises(NotFound, match="all in one line"):
        await use(fixture, declare, "bob", ref="", text="", options=options, entry_point="slash")

    async with fixture.db.read() as session:
        newest = (await incident_rows.newest_incidents(session))[0]
    assert newest.private and (await overview.subject_of(fixture.db, newest.group)).private


async def test_it_is_no_past_incident_for_another_channel_s_investigation(fixture: ApprovalsFixture) -> None:
    async def recalled(recallable: ReadAccess, group: str) -> list[str]:
        past = PastIncidents(fixture.db, group, recallable.recallable)
        return [one.ref for one in await past.confirmed(fixture.now.replace(year=fixture.now.year - 1))]

    await incidents.resolve(fixture.db, "INC-1", "alice", "a bad deploy")
    everywhere = everything_public(fixture.db)
    assert await recalled(everywhere, "") == ["INC-1"]

    await set_private(fixture.db, "INC-1", "alice", private=True)

    assert (await recalled(everywhere, ""), await recalled(everywhere, "AL-1")) == ([], ["INC-1"])


async def test_a_private_channel_s_incident_is_no_past_incident_for_another_channel(fixture: ApprovalsFixture) -> None:
    async def access(channel: str) -> ChannelAccess:
        return ChannelAccess(is_private=channel == "C1")

    await incidents.resolve(fixture.db, "INC-1", "alice", "a bad deploy")
    past = PastIncidents(fixture.db, "", ReadAccess(fixture.db, access).recallable)

    assert await past.confirmed(fixture.now.replace(year=fixture.now.year - 1)) == []
