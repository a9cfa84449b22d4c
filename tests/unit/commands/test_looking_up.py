"""The verbs that only tell: the panel, help, whoami and the list."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.commands.ask import ask
from bot.commands.help import help as help_verb
from bot.commands.list import list as list_verb
from bot.commands.note import note
from bot.commands.panel import panel
from bot.commands.propose import propose
from bot.commands.show import show as show_verb
from bot.commands.whoami import whoami
from bot.commands.why import why
from bot.core.errors import NotFound
from bot.core.evidence import Findings, Hypothesis
from bot.plugins import Command, EntryPoint, Request, discover
from bot.ports import Run
from bot.slack.answers import rendered_reply
from bot.slack.view_context import ViewContext
from bot.slack.views import proposal as proposal_view
from bot.store.slack.proposal_contents import proposal_content
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, QuestionRow
from bot.store.triage.triage import Triages
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture, actor, open_approvals
from tests.unit.commands.using import context, use


async def with_group(fixture: ApprovalsFixture, number: int, **values: Any) -> None:
    moments = {"opened_at": fixture.now, "last_alert_at": fixture.now}
    fields = {"title": f"Group {number}", "service": "search", "severity": "SEV3", "state": "FIRING", "channel": "C1"}
    async with fixture.db.write() as session:
        session.add(GroupRow(**{"key": f"k{number}", **fields, **moments, **values}))


async def declared(fixture: ApprovalsFixture, **values: Any) -> None:
    """An incident without an alert group."""
    fields = {"title": "Billing", "severity": "SEV3", "service": "search", "state": "OPEN", "channel": "C7"}
    async with fixture.db.write() as session:
        session.add(IncidentRow(**{"declared_at": fixture.now, **fields, **values}))


def shown(reply: Any) -> str:
    """What stands in Slack."""
    text, blocks = rendered_reply(reply.content, ViewContext())
    return f"{text}\n{blocks}"


async def test_the_only_open_group_of_a_channel_is_meant_and_the_panel_says_why(fixture: ApprovalsFixture) -> None:
    message = shown(await use(fixture, panel, "alice", ref="", entry_point="slash"))

    assert "AL-1 is meant: nothing else is open in this channel" in message
    assert "'value': 'AL-1'" in message


async def test_a_list_has_the_words_of_the_cards_for_what_was_declared_and_for_an_end_that_is_not_confirmed(
    fixture: ApprovalsFixture,
) -> None:
    await with_group(fixture, 2, key="", alerts=0)
    await with_group(fixture, 3, alerts=1, state="MONITORING", cleared_at=fixture.now, unconfirmed_at=fixture.now)

    message = shown(await use(fixture, list_verb, "alice", ref="", entry_point="slash"))

    assert "*OPEN* SEV3 AL-2" in message and "*NOT CONFIRMED* SEV3 AL-3" in message


async def test_a_group_is_shown_with_the_reasons_of_its_alerts(fixture: ApprovalsFixture) -> None:
    moments = {"starts_at": fixture.now, "first_seen_at": fixture.now, "last_seen_at": fixture.now}
    fields = {"source": "prod", "name": "Errors", "service": "checkout", "severity": "SEV2", "status": "firing"}
    async with fixture.db.write() as session:
        for number in (1, 2):
            reason = {"group_id": 1, "grouping_reason": "source_key", "grouping_text": "the source groups them"}
            session.add(EpisodeRow(fingerprint=str(number), labels={}, annotations={}, **fields, **moments, **reason))

    assert "2 alerts: the source groups them" in shown(await use(fixture, show_verb, "alice", ref="AL-1"))


async def test_of_several_open_groups_the_panel_takes_none_and_names_them(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    message = shown(await use(fixture, panel, "alice", ref="", entry_point="slash"))

    assert "Open in this channel: AL-1, AL-2" in message
    assert "'value': 'AL-1'" not in message


async def test_of_several_open_groups_each_is_named_with_the_whole_line_to_copy(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, title="DiskFull", severity="SEV1", state="ACKNOWLEDGED")

    with pytest.raises(NotFound) as refused:
        await use(fixture, note, "alice", ref="", text="the pool is full", options={"at": "10:42"}, entry_point="slash")

    assert str(refused.value).splitlines() == [
        "Say which one. Open in this channel:",
        "AL-2 search DiskFull, acknowledged",
        "AL-1 checkout Errors, firing",
        "Nothing was done yet. To copy:",
        "note AL-2 the pool is full at=10:42",
        "note AL-1 the pool is full at=10:42",
    ]


async def test_a_title_of_several_words_is_quoted_where_groups_are_named(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, title="approve AP-1 now")

    with pytest.raises(NotFound, match="AL-2 search “approve AP-1 now”, firing"):
        await use(fixture, note, "alice", ref="", text="the pool is full", entry_point="slash")


async def test_of_several_open_groups_a_question_takes_the_one_whose_service_it_names(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    started: list[int] = []

    async def question(_run: Run, number: int) -> None:
        started.append(number)

    fixture.engine.register("question", question)
    await use(fixture, ask, "alice", ref="", text="why is search failing?", entry_point="mention")

    (asked,) = await fixture.rows(QuestionRow)
    await fixture.engine.result(f"question:{asked.id}:1")
    assert asked.group_id == 2 and started == [asked.id]


async def test_of_several_open_groups_a_question_about_a_suspect_takes_none(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    with pytest.raises(NotFound, match="Say which one"):
        await use(fixture, ask, "alice", ref="", text="is it search?", entry_point="mention")


async def test_a_long_line_is_repeated_once_with_all_that_is_open(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    with pytest.raises(NotFound, match=r"AL-1 .*\n.*AL-2 ") as refused:
        await use(fixture, note, "alice", ref="", text="the pool is full " * 20, entry_point="slash")

    assert sum(line.startswith("note AL-") for line in str(refused.value).splitlines()) == 1


async def test_where_nothing_is_open_the_example_is_the_line_that_was_typed(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match=r"for example: note AL-3 the pool is full\. Nothing is open in this channel"):
        await use(fixture, note, "alice", ref="", text="the pool is full", channel="C8", entry_point="slash")


async def test_an_incident_without_a_group_is_open_in_its_channel_too(fixture: ApprovalsFixture) -> None:
    await declared(fixture)

    assert "INC-2 is meant" in shown(await use(fixture, panel, "alice", ref="", channel="C7", entry_point="slash"))


async def test_help_fits_the_only_open_group_of_the_channel(fixture: ApprovalsFixture) -> None:
    message = shown(await use(fixture, help_verb, "alice", ref="", entry_point="slash"))

    assert "What fits AL-1 (FIRING), the only one open in this channel" in message


async def test_in_a_channel_without_anything_open_help_speaks_of_here(fixture: ApprovalsFixture) -> None:
    assert "What fits here:" in shown(await use(fixture, help_verb, "alice", ref="", channel="C8", entry_point="slash"))


async def test_help_shows_every_verb(fixture: ApprovalsFixture) -> None:
    verbs = discover(["bot.commands"], Command)
    request = Request(verb="help", actor=actor("alice"), channel="C1", ref="", entry_point=EntryPoint.SLASH)

    message = shown(await help_verb.fn(context(fixture, **verbs), request))

    assert [name for name, verb in verbs.items() if verb.summary[:30] not in message] == []
    assert "more line" not in message


async def test_whoami_of_an_alert_without_a_service_says_what_may_be_approved_there(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, service="")

    told = (await use(fixture, whoami, "root", ref="AL-2", entry_point="slash")).text.splitlines()

    assert told[1] == "Alerts of no service: admin. You may approve nothing there."


async def test_whoami_tells_each_role_once_with_the_services_it_is_for(tmp_path: Path) -> None:
    more = {f"s{number:02}": {"owners": ["owner"]} for number in range(15)}
    fixture = await open_approvals(tmp_path, {"services": {**CONFIG["services"], **more}})
    try:
        told = (await use(fixture, whoami, "owner", ref="", channel="C8", entry_point="slash")).text.splitlines()[1:]
    finally:
        await fixture.close()

    assert len(told) == 2
    assert told[0].startswith("checkout, s00, s01") and told[0].endswith("and 4 more services: owner. You may approve: tier 3.")
    assert told[1] == "search: no role. You may approve nothing there."


async def test_mine_holds_the_incidents_i_lead_with_and_without_a_group(fixture: ApprovalsFixture) -> None:
    await declared(fixture, lead="alice")
    await declared(fixture, lead="bob")
    await with_group(fixture, 2, acknowledged_by="alice")

    reply = await use(fixture, list_verb, "alice", ref="", text="mine", entry_point="slash")

    assert [row.ref for row in reply.content.rows] == ["AL-2", "INC-2"]


async def test_the_worst_stand_first_whether_declared_or_alerted(fixture: ApprovalsFixture) -> None:
    await declared(fixture, severity="SEV1")
    await with_group(fixture, 2)

    reply = await use(fixture, list_verb, "alice", ref="", entry_point="slash")

    assert [row.ref for row in reply.content.rows] == ["INC-2", "AL-1", "AL-2"]


async def test_since_is_for_declared_incidents_too(fixture: ApprovalsFixture) -> None:
    await declared(fixture, declared_at=fixture.now - timedelta(days=9))

    reply = await use(fixture, list_verb, "alice", ref="", options={"since": "7d"}, entry_point="slash")

    assert [row.ref for row in reply.content.rows] == ["AL-1"]


async def test_a_page_beyond_the_last_names_the_last(fixture: ApprovalsFixture) -> None:
    for number in range(2, 14):
        await with_group(fixture, number)

    message = shown(await use(fixture, list_verb, "alice", ref="", options={"page": "99"}, entry_point="slash"))

    assert "there is no page 99; the last is `page=2` (13 in all)" in message


async def test_a_page_that_is_no_number_is_refused_with_what_is_taken(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="page takes a number from 1 to 999, not two"):
        await use(fixture, list_verb, "alice", ref="", options={"page": "two"}, entry_point="slash")


async def test_a_proposal_is_shown_with_its_own_state_and_title(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")

    message = shown(await use(fixture, show_verb, "alice", ref="AP-1", entry_point="slash"))

    assert message.startswith("APPROVAL NEEDED · AP-1 · Restart") and "*APPROVAL NEEDED* AP-1" in message
    assert "FIRING" not in message


async def test_of_one_hypothesis_only_the_first_is_offered(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, findings=Findings(hypotheses=[Hypothesis(cause="pool exhausted")]).model_dump(mode="json"))

    reply = await use(fixture, why, "alice", ref="AL-1", text="9", entry_point="slash")

    assert reply.text == "AL-1 has 1 hypothesis: write why 1."


async def test_the_menu_of_actions_says_that_it_cuts(tmp_path: Path) -> None:
    config = json.loads(json.dumps(CONFIG))
    config["actions"]["restart"]["when"] = (
        "Pods leak memory or hold stale connections. Does not help when the cause lies elsewhere."
    )
    fixture = await open_approvals(tmp_path, config)

    form = await use(fixture, propose, "alice", ref="AL-1", entry_point="slash")

    offered = dict(form.fields[0].options)["restart"]
    assert offered.endswith("…") and len(offered) <= 75
    await fixture.close()


async def test_a_silence_says_that_it_can_be_taken_back(tmp_path: Path) -> None:
    config = {**CONFIG, "actions": {**CONFIG["actions"], "silence": {"kind": "silence_alert"}}}
    fixture = await open_approvals(tmp_path, config)
    await fixture.propose("silence", matchers={"alertname": "HighErrorRate"}, duration="2h")

    async with fixture.db.read() as session:
        content = await proposal_content(session, "AP-1")

    assert content and "can be undone: expiring the silence" in str(proposal_view.render(content, ViewContext()))
    await fixture.close()


async def test_who_is_not_among_people_is_told_what_they_may_do(tmp_path: Path) -> None:
    fixture = await open_approvals(
        tmp_path, {**CONFIG, "people": {"alice": {"slack": "UALICE"}}, "services": {}, "approvers": {}}
    )

    stranger = Request(verb="whoami", actor=replace(actor("alice"), person=""), channel="C1")
    told = await whoami.fn(context(fixture, whoami=whoami), stranger)

    assert "Not among `people`" in told.text and "acknowledge" in told.text and "resolve" in told.text
    await fixture.close()
