"""People silence alerts: one exact alert at once, more only with a second person; always after a preview."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.silence import silence
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import EntryPoint, FieldErrors, Form, Reply, Request
from bot.store.alerts.silences import Silences
from bot.store.tables import MessageRow
from tests.unit.approving import Office, actor, office
from tests.unit.commands.test_merge_and_split import with_private_c1
from tests.unit.commands.using import context, use
from tests.unit.store.databases import Clock, Desk, alert

EXACT = "alertname=Errors service=checkout"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def arrive(house: Office, *alerts: Any) -> Desk:
    clock = Clock()
    clock.now = house.now
    desk = Desk(house.db, clock)
    await desk.connect()
    await desk.receive(*alerts)
    return desk


async def line(house: Office, text: str, who: str = "alice", *, ref: str = "", entry_point: str = "slash") -> Any:
    return await use(house, silence, who, text=text, ref=ref, revision=None, entry_point=entry_point)


async def submit(house: Office, form: Form, who: str = "alice", **changed: str) -> Any:
    """Press the dialog's button, with other words in some of its fields."""
    fields = {field.name: field.value for field in form.fields} | changed
    return await use(house, silence, who, ref=form.ref, revision=form.revision, fields=fields, entry_point="modal")


async def in_force(house: Office) -> list[str]:
    return [one.silence.ref for one in await Silences(house.db).listed() if not one.over]


async def test_the_on_call_silences_one_exact_alert_with_a_preview_and_one_press(house: Office) -> None:
    await arrive(house, alert("a", name="Errors"), alert("b", name="Latency"))

    form = await line(house, f'{EXACT} for=4h reason="deploy of 5.1"')
    assert form.code.startswith("Over the last day it would have muted 1 of 2 alerts, the worst SEV2:\n- Errors on checkout: 1")
    assert await in_force(house) == []
    reply = await submit(house, form)

    assert reply == Reply(
        "alice silenced alertname=Errors service=checkout until 07:00 UTC (SI-1): deploy of 5.1. To end it: silence end SI-1.",
        private=False,
    )
    assert await in_force(house) == ["SI-1"]


async def test_in_a_thread_the_dialog_names_the_alert_of_its_card(house: Office) -> None:
    form = await line(house, "AL-1", ref="AL-1")

    assert [field.value for field in form.fields] == [EXACT, "2h", ""]
    assert (form.submit, form.code) == ("Preview", "")


async def test_what_was_not_previewed_is_not_confirmed(house: Office) -> None:
    form = await line(house, f"{EXACT} reason=deploy")

    changed = await submit(house, form, alerts="service=checkout")

    assert isinstance(changed, Form) and "another person approves it" in changed.code
    assert await in_force(house) == []


async def test_a_wide_silence_counts_once_another_person_approved_it(house: Office) -> None:
    desk = await arrive(house, alert("a", name="Errors"), alert("b", name="Latency"))
    reply = await submit(house, await line(house, "service=checkout reason=deploy"))
    assert reply.text == (
        "AP-1 asks for it: Silence service=checkout for 2h. Nothing is silenced before another person approves."
    )
    assert (await line(house, "list")).text == "AP-1 waits for approval: Silence service=checkout for 2h"

    own = await house.approve("AP-1", "alice")
    other = await house.approve("AP-1", "bob")
    assert (own.counted, other.counted, await house.ended("AP-1", seconds=1)) == (False, True, "succeeded")

    lines = [row.subject for row in await desk.rows(MessageRow) if row.kind == "line"]
    assert any(line.startswith("Verified AP-1: SI-1 is in force") for line in lines)
    await desk.receive(alert("c", name="Saturation"))
    assert [e.muted_by[:25] for e in await desk.episodes() if e.name == "Saturation"] == ["silenced by SI-1 of alice"]
    assert "alice, approved as AP-1: deploy." in (await line(house, "list")).text


async def test_who_is_not_on_call_asks_for_an_exact_silence_and_gets_it_from_the_on_call(house: Office) -> None:
    reply = await submit(house, await line(house, f"{EXACT} reason=deploy", "owner"), "owner")

    assert reply.text.startswith("AP-1 asks for it: Silence alertname=Errors service=checkout for 2h.")
    assert (await house.approve("AP-1", "alice")).counted


async def test_who_is_in_no_roster_silences_nothing(house: Office) -> None:
    form = await line(house, f"{EXACT} reason=deploy", "mallory")

    with pytest.raises(NotAllowed, match="Only people of a rota"):
        await submit(house, form, "mallory")


async def test_a_silence_of_alerts_of_several_services_is_the_deputys_to_approve(house: Office) -> None:
    await arrive(house, alert("a"), alert("s", labels={"service": "search"}))

    reply = await submit(house, await line(house, "source=prod reason=moving"))

    assert reply.text.startswith("AP-1 asks for it")
    assert (await house.store.load("AP-1")).service == ""
    assert (await house.approve("AP-1", "carol")).text.startswith("You can't approve this.")
    assert (await house.approve("AP-1", "bob")).counted


async def test_in_a_sev1_even_an_exact_silence_lasts_two_hours_at_most(house: Office) -> None:
    async with house.db.write() as session:
        from bot.store.tables import IncidentRow

        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = "SEV1"

    with pytest.raises(NotAllowed, match="at most"):
        await submit(house, await line(house, f"{EXACT} for=4h reason=deploy"))


async def test_anybody_ends_a_silence_and_the_channel_reads_it(house: Office) -> None:
    await submit(house, await line(house, f"{EXACT} reason=deploy"))

    reply = await line(house, "end SI-1", "mallory")

    assert reply == Reply(
        "mallory ended SI-1 (alertname=Errors service=checkout): what still fires is shown again.", private=False
    )
    assert (await line(house, "list")).text.startswith("Over: SI-1")


async def test_a_reason_and_readable_conditions_are_needed(house: Office) -> None:
    form = await line(house, EXACT)

    assert await submit(house, form) == FieldErrors({"reason": "Say why: whoever misses the alert reads it."})
    assert isinstance(await submit(house, form, alerts="the errors"), FieldErrors)
    with pytest.raises(NotFound, match=r"checkout.* is no condition"):
        await line(house, "checkout please")


async def test_with_nothing_silenced_the_list_says_so(house: Office) -> None:
    assert (await line(house, "list")).text == "Nothing is silenced, and nothing was within a day."


async def in_channel(house: Office, who: str, channel: str, **values: Any) -> Any:
    """The line or press of somebody where C1, the channel of checkout, is private and alice alone is in it."""
    fields = {"entry_point": EntryPoint.SLASH, "verb": "silence", "key": "k", **values}
    request = Request(actor=actor(who), channel=channel, **fields)
    return await silence.fn(replace(context(house), reading=with_private_c1(house)), request)


async def test_a_preview_counts_alerts_of_a_private_channel_and_names_them_to_its_members_alone(house: Office) -> None:
    await arrive(house, alert("a", name="Leak"), alert("s", name="Slow", labels={"service": "search"}))

    outside = (await in_channel(house, "owner", "C9", text="source=prod reason=x")).code
    inside = (await in_channel(house, "alice", "C9", text="source=prod reason=x")).code

    assert "Slow on search: 1\n- 1 alert of channels that are not read here" in outside and "Leak" not in outside
    assert "Leak on checkout: 1" in inside and "not read here" not in inside


async def test_nobody_silences_what_they_or_who_reads_the_card_may_not_read(house: Office) -> None:
    await arrive(house, alert("a", name="Leak"), alert("s", name="Slow", labels={"service": "search"}))

    for who in ("owner", "alice"):
        form = await in_channel(house, who, "C9", text="source=prod reason=x")
        fields = {field.name: field.value for field in form.fields}
        with pytest.raises(NotAllowed, match="Nothing was silenced"):
            await in_channel(house, who, "C9", fields=fields, revision=form.revision, entry_point=EntryPoint.MODAL)


async def test_the_list_says_of_a_private_channel_s_silence_only_that_there_is_one(house: Office) -> None:
    await submit(house, await line(house, f"{EXACT} reason=acquisition"))

    outside = (await in_channel(house, "owner", "C9", text="list")).text
    inside = (await in_channel(house, "alice", "C9", text="list")).text

    assert outside.startswith("SI-1 of alerts of a channel that is not read here, alice. Ends in 2 h")
    assert "Errors" in inside and "acquisition" in inside
