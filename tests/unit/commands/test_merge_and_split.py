"""People correct what was grouped."""

from dataclasses import replace
from typing import Any

import pytest

from bot.commands.always import always
from bot.commands.merge import merge
from bot.commands.split import split
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import Form, Request
from bot.store.incidents.privacy import set_private
from bot.store.slack.proposal_contents import proposal_content
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.commands.using import Started, context, with_private_c1
from tests.unit.store.databases import Clock, SortingFixture, alert


async def groups_of(fixture: ApprovalsFixture, *services: str) -> list[str]:
    """An alert of each service arrives; the references of all groups."""
    clock = Clock()
    clock.now = fixture.now
    sorting = SortingFixture(fixture.db, clock)
    await sorting.receive(*(alert(name, labels={"service": name}) for name in services))
    return [f"AL-{group.id}" for group in await sorting.groups()]


async def use(fixture: ApprovalsFixture, verb: Any, ref: str, text: str) -> tuple[str, list[tuple[Any, ...]]]:
    engine: Any = Started()
    request = Request(verb=verb.name, actor=actor("alice"), channel="C1", ref=ref, text=text, key="1")
    reply = await verb.fn(replace(context(fixture), engine=engine), request)
    return reply.text, engine.runs


async def test_two_cards_become_one_and_one_becomes_two_again(fixture: ApprovalsFixture) -> None:
    *_, first, second = await groups_of(fixture, "mail", "search")

    text, _ = await use(fixture, merge, first, second)
    assert text == f"{second} is part of {first} now; its card closes. To group such alerts from now on: always {first}."

    text, runs = await use(fixture, split, first, "search")
    assert text.startswith("1 alert has a card of its own now: AL-") and runs[0][0].startswith("triage:AL-")


async def test_what_waits_of_a_merged_group_is_decided_and_runs_for_the_other_one(fixture: ApprovalsFixture) -> None:
    *_, other = await groups_of(fixture, "mail")
    await fixture.propose("restart")

    await use(fixture, merge, other, "AL-1")

    async with fixture.db.read() as session:
        content = await proposal_content(session, "AP-1")
    assert content is not None and (content.proposal.group, content.alerts_cleared_at) == (other, None)
    await fixture.approve("AP-1")
    assert await fixture.ended("AP-1", seconds=1) == "succeeded"


async def test_a_merge_needs_two_groups(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="Name both groups"):
        await use(fixture, merge, "AL-1", "")


async def with_private(fixture: ApprovalsFixture, verb: Any, **values: Any) -> Any:
    """The verb's answer to alice where C1, the channel of checkout and search, is private."""
    request = Request(verb=verb.name, actor=actor("alice"), channel="C1", key="2", **values)
    return await verb.fn(replace(context(fixture), read_access=with_private_c1(fixture)), request)


async def merged(fixture: ApprovalsFixture, into: str, other: str) -> str:
    """AL-1 stands in C1, the group of search in the default channel."""
    request = Request(verb="merge", actor=actor("alice"), channel="C9", ref=into, text=other, key="1")
    return (await merge.fn(replace(context(fixture), read_access=with_private_c1(fixture)), request)).text


async def test_alerts_of_a_private_channel_come_on_no_card_that_others_read(fixture: ApprovalsFixture) -> None:
    *_, elsewhere = await groups_of(fixture, "search")

    with pytest.raises(NotAllowed, match=f"nothing was merged. The other way works: merge AL-1 {elsewhere}"):
        await merged(fixture, elsewhere, "AL-1")

    assert (await merged(fixture, "AL-1", elsewhere)).startswith(f"{elsewhere} is part of AL-1 now; its card closes.")


async def test_no_rule_is_offered_for_alerts_of_a_private_channel_and_it_is_said_why(fixture: ApprovalsFixture) -> None:
    *_, into, other = await groups_of(fixture, "checkout", "mail")
    told = await merged(fixture, into, other)

    reply = await with_private(fixture, always, ref=into)

    why = "No rule is offered for alerts of mail with alerts of checkout: it would not apply. Their channels differ"
    assert reply.text.startswith(why) and reply.text.endswith("Nothing was changed.")
    assert why in told and "always AL" not in told


async def test_a_rule_whose_channel_became_private_while_it_was_chosen_is_not_made(fixture: ApprovalsFixture) -> None:
    *_, into, other = await groups_of(fixture, "checkout", "mail")
    await use(fixture, merge, into, other)
    form = await say(fixture, always, ref=into)

    reply = await with_private(fixture, always, ref=into, fields={"rule": "0"}, revision=form.revision)

    assert reply.text.startswith("No rule is offered")
    assert (await say(fixture, always, text="list")).text.startswith("There are no rules.")


async def test_a_rule_between_services_of_one_private_channel_is_offered(fixture: ApprovalsFixture) -> None:
    *_, into, other = await groups_of(fixture, "checkout", "search")
    await use(fixture, merge, into, other)

    assert isinstance(await with_private(fixture, always, ref=into), Form)


async def test_a_private_incident_comes_on_no_card_of_another_channel(fixture: ApprovalsFixture) -> None:
    *_, elsewhere = await groups_of(fixture, "search")
    await set_private(fixture.db, "INC-1", "alice", private=True)

    with pytest.raises(NotAllowed, match="people who may not read AL-1"):
        await use(fixture, merge, elsewhere, "AL-1")


async def say(fixture: ApprovalsFixture, verb: Any, who: str = "alice", **values: Any) -> Any:
    request = Request(verb=verb.name, actor=actor(who), channel="C1", **{"key": "1", **values})
    return await verb.fn(context(fixture), request)


async def test_after_a_merge_such_alerts_are_always_grouped_once_somebody_saw_what_that_means(
    fixture: ApprovalsFixture,
) -> None:
    *_, first, second = await groups_of(fixture, "mail", "search")
    await use(fixture, merge, first, second)

    form = await say(fixture, always, ref=first)
    assert "alerts of search with alerts of mail: in 7 days" in form.code
    chosen = form.fields[0].options[0][0]
    stale = await say(fixture, always, ref=first, fields={"rule": chosen}, revision=0)
    assert isinstance(stale, Form)
    reply = await say(fixture, always, ref=first, fields={"rule": chosen}, revision=form.revision)

    assert reply.text == (
        "alice made a rule (GR-1): alerts of search with alerts of mail is one outage. To end it: always remove GR-1."
    )
    listed = (await say(fixture, always, text="list")).text
    assert listed.startswith("GR-1 alerts of search with alerts of mail (alice, ") and listed.endswith("it grouped 0 alerts.")
    removed = await say(fixture, always, "bob", text="remove GR-1")
    assert removed.text.startswith("bob removed GR-1")
    assert (await say(fixture, always, text="list")).text.startswith("There are no rules.")


async def test_the_list_of_rules_names_no_alerts_of_a_private_channel_to_others(fixture: ApprovalsFixture) -> None:
    *_, into, other = await groups_of(fixture, "checkout", "search")
    await use(fixture, merge, into, other)
    form = await say(fixture, always, ref=into)
    await say(fixture, always, ref=into, fields={"rule": "0"}, revision=form.revision)

    async def listed(who: str) -> str:
        request = Request(verb="always", actor=actor(who), channel="C9", text="list", key="2")
        return (await always.fn(replace(context(fixture), read_access=with_private_c1(fixture)), request)).text

    assert "checkout" in await listed("alice")
    assert (await listed("bob")).startswith("GR-1 alerts of a channel that is not read here (alice, ")
