"""People silence alerts: one exact alert at once, more only with a second person; always after a preview."""

from dataclasses import replace
from typing import Any

import pytest

from bot.commands.silence import silence
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import EntryPoint, FieldErrors, Form, Reply, Request
from bot.store.alerts.silences import Silences
from bot.store.tables import MessageRow
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.commands.using import context, use, with_private_c1
from tests.unit.store.databases import Clock, SortingFixture, alert

EXACT = "alertname=Errors service=checkout"


async def arrive(fixture: ApprovalsFixture, *alerts: Any) -> SortingFixture:
    clock = Clock()
    clock.now = fixture.now
    sorting = SortingFixture(fixture.db, clock)
    await sorting.connect()
    await sorting.receive(*alerts)
    return sorting


async def line(fixture: ApprovalsFixture, text: str, who: str = "alice", *, ref: str = "", entry_point: str = "slash") -> Any:
    return await use(fixture, silence, who, text=text, ref=ref, revision=None, entry_point=entry_point)


async def submit(fixture: ApprovalsFixture, form: Form, who: str = "alice", **changed: str) -> Any:
    """Press the dialog's button, with other words in some of its fields."""
    fields = {field.name: field.value for field in form.fields} | changed
    return await use(fixture, silence, who, ref=form.ref, revision=form.revision, fields=fields, entry_point="modal")


async def in_force(fixture: ApprovalsFixture) -> list[str]:
    return [one.silence.ref for one in await Silences(fixture.db).listed() if not one.over]


async def test_the_on_call_silences_one_exact_alert_with_a_preview_and_one_press(fixture: ApprovalsFixture) -> None:
    await arrive(fixture, alert("a", name="Errors"), alert("b", name="Latency"))

    form = await line(fixture, f'{EXACT} for=4h reason="deploy of 5.1"')
    assert form.code.startswith("Over the last day it would have muted 1 of 2 alerts, the worst SEV2:\n- Errors on checkout: 1")
    assert await in_force(fixture) == []
    reply = await submit(fixture, form)

    assert reply == Reply(
        "alice silenced alertname=Errors service=checkout until 07:00 UTC (SI-1): deploy of 5.1. To end it: silence end SI-1.",
        private=False,
    )
    assert await in_force(fixture) == ["SI-1"]


async def test_in_a_thread_the_dialog_names_the_alert_of_its_card(fixture: ApprovalsFixture) -> None:
    form = await line(fixture, "AL-1", ref="AL-1")

    assert [field.value for field in form.fields] == [EXACT, "2h", ""]
    assert (form.submit, form.code) == ("Preview", "")


async def test_what_was_not_previewed_is_not_confirmed(fixture: ApprovalsFixture) -> None:
    form = await line(fixture, f"{EXACT} reason=deploy")

    changed = await submit(fixture, form, alerts="service=checkout")

    assert isinstance(changed, Form) and "another person approves it" in changed.code
    assert await in_force(fixture) == []


async def test_a_wide_silence_counts_once_another_person_approved_it(fixture: ApprovalsFixture) -> None:
    sorting = await arrive(fixture, alert("a", name="Errors"), alert("b", name="Latency"))
    reply = await submit(fixture, await line(fixture, "service=checkout reason=deploy"))
    assert reply.text == (
        "AP-1 asks for it: Silence service=checkout for 2h. Nothing is silenced before another person approves."
    )
    assert (await line(fixture, "list")).text == "AP-1 waits for approval: Silence service=checkout for 2h"

    own = await fixture.approve("AP-1", "alice")
    other = await fixture.approve("AP-1", "bob")
    assert (own.counted, other.counted, await fixture.ended("AP-1", seconds=1)) == (False, True, "succeeded")

    lines = [row.subject for row in await sorting.rows(MessageRow) if row.kind == "line"]
    assert any(line.startswith("Verified AP-1: SI-1 is in force") for line in lines)
    await sorting.receive(alert("c", name="Saturation"))
    assert [e.muted_by[:25] for e in await sorting.episodes() if e.name == "Saturation"] == ["silenced by SI-1 of alice"]
    assert "alice, approved as AP-1: deploy." in (await line(fixture, "list")).text


async def test_who_is_not_on_call_asks_for_an_exact_silence_and_gets_it_from_the_on_call(fixture: ApprovalsFixture) -> None:
    reply = await submit(fixture, await line(fixture, f"{EXACT} reason=deploy", "owner"), "owner")

    assert reply.text.startswith("AP-1 asks for it: Silence alertname=Errors service=checkout for 2h.")
    assert (await fixture.approve("AP-1", "alice")).counted


async def test_who_is_in_no_roster_silences_nothing(fixture: ApprovalsFixture) -> None:
    form = await line(fixture, f"{EXACT} reason=deploy", "mallory")

    with pytest.raises(NotAllowed, match="Only people of a rota"):
        await submit(fixture, form, "mallory")


async def test_a_silence_of_alerts_of_several_services_is_the_deputys_to_approve(fixture: ApprovalsFixture) -> None:
    await arrive(fixture, alert("a"), alert("s", labels={"service": "search"}))

    reply = await submit(fixture, await line(fixture, "source=prod reason=moving"))

    assert reply.text.startswith("AP-1 asks for it")
    assert (await fixture.store.load("AP-1")).service == ""
    assert (await fixture.approve("AP-1", "carol")).text.startswith("You can't approve this.")
    assert (await fixture.approve("AP-1", "bob")).counted


async def test_in_a_sev1_even_an_exact_silence_lasts_two_hours_at_most(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        from bot.store.tables import IncidentRow

        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = "SEV1"

    with pytest.raises(NotAllowed, match="at most"):
        await submit(fixture, await line(fixture, f"{EXACT} for=4h reason=deploy"))


async def test_anybody_ends_a_silence_and_the_channel_reads_it(fixture: ApprovalsFixture) -> None:
    await submit(fixture, await line(fixture, f"{EXACT} reason=deploy"))

    reply = await line(fixture, "end SI-1", "mallory")

    assert reply == Reply(
        "mallory ended SI-1 (alertname=Errors service=checkout): what still fires is shown again.", private=False
    )
    assert (await line(fixture, "list")).text.startswith("Over: SI-1")


async def test_a_reason_and_readable_conditions_are_needed(fixture: ApprovalsFixture) -> None:
    form = await line(fixture, EXACT)

    assert await submit(fixture, form) == FieldErrors({"reason": "Say why: whoever misses the alert reads it."})
    assert isinstance(await submit(fixture, form, alerts="the errors"), FieldErrors)
    with pytest.raises(NotFound, match=r"checkout.* is no condition"):
        await line(fixture, "checkout please")


async def test_with_nothing_silenced_the_list_says_so(fixture: ApprovalsFixture) -> None:
    assert (await line(fixture, "list")).text == "Nothing is silenced, and nothing was within a day."


async def in_channel(fixture: ApprovalsFixture, who: str, channel: str, **values: Any) -> Any:
    """The line or press of somebody where C1, the channel of checkout, is private and alice alone is in it."""
    fields = {"entry_point": EntryPoint.SLASH, "verb": "silence", "key": "k", **values}
    request = Request(actor=actor(who), channel=channel, **fields)
    return await silence.fn(replace(context(fixture), read_access=with_private_c1(fixture)), request)


async def test_a_preview_counts_alerts_of_a_private_channel_and_names_them_to_its_members_alone(
    fixture: ApprovalsFixture,
) -> None:
    await arrive(fixture, alert("a", name="Leak"), alert("s", name="Slow", labels={"service": "search"}))

    outside = (await in_channel(fixture, "owner", "C9", text="source=prod reason=x")).code
    inside = (await in_channel(fixture, "alice", "C9", text="source=prod reason=x")).code

    assert "Slow on search: 1\n- 1 alert of channels that are not read here" in outside and "Leak" not in outside
    assert "Leak on checkout: 1" in inside and "not read here" not in inside


async def test_nobody_silences_what_they_or_who_reads_the_card_may_not_read(fixture: ApprovalsFixture) -> None:
    await arrive(fixture, alert("a", name="Leak"), alert("s", name="Slow", labels={"service": "search"}))

    for who in ("owner", "alice"):
        form = await in_channel(fixture, who, "C9", text="source=prod reason=x")
        fields = {field.name: field.value for field in form.fields}
        with pytest.raises(NotAllowed, match="Nothing was silenced"):
            await in_channel(fixture, who, "C9", fields=fields, revision=form.revision, entry_point=EntryPoint.MODAL)


async def test_the_list_says_of_a_private_channel_s_silence_only_that_there_is_one(fixture: ApprovalsFixture) -> None:
    await submit(fixture, await line(fixture, f"{EXACT} reason=acquisition"))

    outside = (await in_channel(fixture, "owner", "C9", text="list")).text
    inside = (await in_channel(fixture, "alice", "C9", text="list")).text

    assert outside.startswith("SI-1 of alerts of a channel that is not read here, alice. Ends in 2 h")
    assert "Errors" in inside and "acquisition" in inside


async def test_who_does_not_say_which_silence_ends_is_told_how(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match=r"Say which one ends, for example: silence end SI-3"):
        await line(fixture, "end")
