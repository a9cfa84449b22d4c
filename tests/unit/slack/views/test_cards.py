"""Cards: what people see in each state, and what they never see."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.core.action import ProposalState
from bot.core.alerts.grouping import OPENED, GroupingReason, Membership
from bot.core.alerts.reasons import AlertReasons
from bot.core.approvals.remedies import NoProposal
from bot.core.change import Change
from bot.core.evidence import Claim, Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.history.postmortem import PostmortemSection, Sentence
from bot.core.investigation.triage_facts import RunbookExcerpt
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import BacklogAlert, BacklogContent, LineContent, StormOrigin
from bot.core.messages.investigation import AnswerContent, PostmortemContent, ProposalLine
from bot.core.messages.replies import CommandHelp, HelpReply, ListReply, ListRow, PostmortemReply, ShowReply, WhyReply
from bot.core.questions.answering import Finding, QuestionAnswer
from bot.core.timeline import TimelineEntry
from bot.slack.blocks import Block, check_blocks, cut_lines
from bot.slack.views import answer, backlog, line, listing, postmortem, show, why
from bot.slack.views import help as help_view
from tests.messages.words import text_of
from tests.unit.builders import at
from tests.unit.slack.contents import (
    NASTY,
    VIEW,
    change,
    claim,
    entry,
    facts,
    findings,
    group,
    hypothesis,
    ledger,
    proposal_content,
    proposal_lines,
    rendered_card,
    rendered_details,
    rendered_storm,
    rendered_triage,
)


def words(blocks: list[Block]) -> str:
    """What stands in the blocks: as they are sent, and as they are read."""
    read = text_of(blocks)
    return "\n".join([json.dumps(blocks, ensure_ascii=False), read, read.replace("\n", "\\n")])


def outside_code(node: Any) -> Iterator[str]:
    """The markup that Slack would render."""
    if isinstance(node, dict) and node.get("type") == "mrkdwn":
        yield re.sub(r"```.*?```|`[^`]*`", "", node["text"], flags=re.DOTALL)
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from outside_code(child)


def controls(blocks: list[Block]) -> list[str]:
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_a_firing_card_says_its_state_first_and_offers_what_applies() -> None:
    text, blocks = rendered_card(declared=False)

    assert blocks[0]["text"]["text"] == "🟧 FIRING SEV2 · checkout · HighErrorRate"
    assert text == (
        "Firing since 03:00:00 UTC, severity 2: checkout HighErrorRate: “5xx ratio is 7.4 %”, 60 alerts, 58 firing. "
        "Not acknowledged."
    )
    assert controls(blocks) == ["ack", "declare", "full"]


@pytest.mark.parametrize(
    ("summary", "place", "shown", "read_aloud"),
    [
        ("Less than 5% space left", "db-1", "“Less than 5% space left” (db-1)", ": “Less than 5% space left” (db-1), "),
        ("HighErrorRate", "db-1", "On db-1", "checkout HighErrorRate on db-1, "),
        ("db-1 has less than 5% space left", "db-1", "“db-1 has less than 5% space left”", "space left”, "),
        ("HighErrorRate", "checkout", "", "checkout HighErrorRate, "),
    ],
)
def test_a_card_names_the_pod_or_host_that_its_alert_s_own_words_leave_out(
    summary: str, place: str, shown: str, read_aloud: str
) -> None:
    text, blocks = rendered_card(summary=summary, place=place)

    second = blocks[1] if shown else {"type": "rich_text", "elements": []}
    assert text_of([second]).strip() == shown and read_aloud in text
    assert (blocks[1]["type"] == "rich_text") == bool(shown)


@pytest.mark.parametrize(
    ("state", "alerts", "read_aloud", "shown"),
    [
        ("FIRING", 2, "Firing since 03:00:00 UTC, severity 2", "Firing since "),
        ("ACKNOWLEDGED", 2, "Acknowledged, firing since 03:00:00 UTC, severity 2", "Firing since "),
        ("MONITORING", 2, "Cleared, monitoring, started firing 03:00:00 UTC, severity 2", "Started firing "),
        ("FIRING", 0, "Open since 03:00:00 UTC, severity 2", "Open since "),
    ],
)
def test_a_card_says_what_its_moment_is_of_since_signals_leave_their_range_before(
    state: str, alerts: int, read_aloud: str, shown: str
) -> None:
    text, blocks = rendered_card(state=state, alerts=alerts, firing=alerts, key="alert" if alerts else "")

    assert text.startswith(f"{read_aloud}: ")
    assert f"\n{shown}2026-03-01 03:00:00 UTC · " in text_of(blocks)


def test_a_push_text_names_the_cause_once_there_is_one() -> None:
    text, _ = rendered_card(first_cause=hypothesis("deploy 2.0 broke checkout"))

    assert "58 firing. Likely cause: deploy 2.0 broke checkout. Not acknowledged." in text


@pytest.mark.parametrize("state", ["FIRING", "RESOLVED"])
def test_a_push_text_names_what_a_person_confirmed_and_no_more_what_the_bot_ranked(state: str) -> None:
    text, blocks = rendered_card(
        state=state,
        first_cause=hypothesis("deploy 2.0 broke checkout"),
        confirmed_cause="a cable was cut",
        cause="a cable was cut",
    )

    assert "Confirmed cause: a cable was cut." in text and "deploy 2.0" not in text + text_of(blocks)
    assert "a cable was cut" in text_of(blocks)


@pytest.mark.parametrize(
    ("severity", "state", "square"), [("SEV1", "FIRING", "🟥"), ("SEV3", "ACKNOWLEDGED", "🟨"), ("SEV1", "MONITORING", "🟩")]
)
def test_a_severity_has_a_colour_beside_its_word(severity: str, state: str, square: str) -> None:
    _, blocks = rendered_card(severity=severity, state=state)

    assert blocks[0]["text"]["text"].startswith(f"{square} {state} {severity}")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("triaged", [True, False])
@pytest.mark.parametrize(("state", "alerts"), [("FIRING", 3), ("FIRING", 0), ("ACKNOWLEDGED", 3), ("MONITORING", 3)])
def test_a_card_has_at_most_three_buttons(state: str, alerts: int, *, triaged: bool, declared: bool) -> None:
    _, blocks = rendered_card(state=state, alerts=alerts, triaged=triaged, declared=declared)

    assert 1 <= len(controls(blocks)) <= 3


def test_an_acknowledged_card_names_who_and_offers_no_second_acknowledgement() -> None:
    _, blocks = rendered_card(state="ACKNOWLEDGED", acknowledged_by="alice", acknowledged_at=at(2))

    assert "ack" not in controls(blocks)
    assert "*ACKNOWLEDGED* by alice" in words(blocks)


def test_a_resolved_card_collapses_to_its_header_one_control_and_the_state() -> None:
    _, blocks = rendered_card(state="RESOLVED", resolved_by="alice", resolved_at=at(17))

    assert [block["type"] for block in blocks] == ["header", "actions", "context"]
    assert "*RESOLVED* by alice after 17 min" in words(blocks)
    assert controls(blocks) == ["postmortem"]


def test_a_card_says_which_alert_flaps_and_what_was_not_repeated() -> None:
    _, blocks = rendered_card(flapping="HighErrorRate fired 6 times within 12 min", stale=2)

    assert "*Flapping:* HighErrorRate fired 6 times within 12 min; its pauses count as firing" in words(blocks)
    assert "*Stale:* 2 alerts not repeated by the source; unknown whether still firing" in words(blocks)


def test_the_on_call_is_mentioned_only_when_the_state_asks_for_it() -> None:
    _, quiet = rendered_card()
    _, loud = rendered_card(mention=["U1"])

    assert "<@" not in words(quiet)
    assert json.dumps(loud).count("<@U1>") == 1


def test_facts_without_findings_stand_as_facts() -> None:
    _, blocks = rendered_triage(findings=None)

    assert "*FACTS* AL-3" in words(blocks) and "checkout errors left the normal range" in words(blocks)
    assert "• deploy checkout by bob, 4 min before onset" in words(blocks)
    assert {"type": "image", "picture": "triage:AL-3:1"} in blocks


def test_changes_that_could_not_be_checked_are_never_none_found() -> None:
    _, blocks = rendered_triage(findings=None, facts=facts(changes=[], changes_ok=False))

    assert "*Changes before it:* could not check" in words(blocks)
    assert "*Changes:* could not check" in words(rendered_details(facts=facts(changes=[], changes_ok=False))[1])
    _, blocks = rendered_triage(findings=None, facts=facts(changes=[], changes_partly=True))
    assert "*Changes before it:* none found in what could be checked" in words(blocks)


def test_details_date_an_onset_that_nobody_measured_as_the_message_does() -> None:
    gap = facts(onset_not_before=at(-2))

    assert "*Onset:* between 02:58:00 and 03:00:00 UTC. " in words(rendered_details(facts=gap)[1])


def test_a_triage_shows_the_cause_its_evidence_what_speaks_against_it_and_what_was_not_checked() -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(), not_checked=["node metrics"]))

    text = words(blocks)
    assert "*Likely:* deploy v2 broke checkout\\n• errors rose 40 s after the deploy" in text
    assert "*Against:* traffic was normal" in text
    assert "*Not checked:* node metrics" in text


def test_the_evidence_of_a_claim_its_link_and_its_query_are_behind_details() -> None:
    ranked = findings(hypothesis(), hypothesis("load", likelihood=0.1))
    _, shown = rendered_triage(findings=ranked)
    _, whole = rendered_details(findings=ranked)

    assert "E1" not in words(shown) and "`up`" not in words(shown) and controls(shown) == ["full", "investigate"]
    assert json.dumps(whole).count("<http://prometheus.example/x1|E1 health of checkout>") == 1
    assert "errors rose 40 s after the deploy (E1)" in words(whole) and "```\\nup\\n```" in words(whole)


def test_details_name_every_cause_with_what_speaks_against_it() -> None:
    second = hypothesis("load grew", confidence="unlikely", likelihood=0.1, against=[claim("traffic was normal", "E2")])
    _, blocks = rendered_details(findings=findings(hypothesis(), second))

    assert "*1. Likely:* deploy v2 broke checkout" in words(blocks)
    assert "*2. Unlikely:* load grew" in words(blocks) and "*Against:* traffic was normal (E2)" in words(blocks)


def test_as_possible_causes_are_counted_and_the_next_one_is_named() -> None:
    causes = [hypothesis(f"cause {n}", confidence="possible", lead_status="one of several", against=[]) for n in range(3)]
    _, blocks = rendered_triage(findings=findings(*causes))

    assert "*One of 3:* cause 0" in words(blocks) and "*Also possible:* cause 1 (1 more)" in words(blocks)


def test_details_list_every_change_with_who_made_it() -> None:
    changes = [
        change(name, id=name, version="2", previous_version="1", author="bob") for name in ("cart", "auth", "search", "pay")
    ]
    _, blocks = rendered_details(facts=facts(changes=changes))

    assert text_of(blocks).count("1 → 2 by bob, 4 min before onset") == 4


@pytest.mark.parametrize(
    ("state", "next_step"),
    [
        ("pending", "approve or deny AP-1 (Roll back checkout)"),
        ("succeeded", "AP-1 (Roll back checkout) ran. Alerts still fire"),
        ("not recovered", "AP-1: not recovered. compare the versions"),
        ("denied", "compare the versions"),
    ],
)
def test_the_next_step_is_what_waits_else_how_it_ended_else_what_would_confirm_the_cause(state: str, next_step: str) -> None:
    proposals = [ProposalLine("AP-1", ProposalState(state), "Roll back checkout")]
    _, blocks = rendered_triage(findings=findings(hypothesis(check="compare the versions")), proposals=proposals)

    assert f"*Next:* {next_step}" in words(blocks)


def test_that_an_action_worked_is_told_once_no_alert_fires() -> None:
    worked = [ProposalLine("AP-1", ProposalState.SUCCEEDED, "Roll back checkout")]
    earlier = {"earlier_cause": hypothesis("deploy v1 broke payments"), "earlier_fires": True, "proposals": worked}
    _, fires = rendered_triage(attempt=2, renewed=True, **earlier)
    _, cleared = rendered_triage(attempt=2, renewed=True, group=group(state="MONITORING", firing=0), **earlier)

    assert "*Next:* AP-1 (Roll back checkout) ran. The earlier outage still fires" in words(fires)
    assert "*Next:* AP-1 (Roll back checkout) worked. Resolve once it stays well" in words(cleared)


@pytest.mark.parametrize(
    ("of_group", "next_step"),
    [
        ({"state": "MONITORING"}, "the alerts have cleared. Deny AP-1 (Roll back checkout) if it is no longer needed"),
        ({"state": "MONITORING", "unconfirmed_at": at(1)}, "approve or deny AP-1 (Roll back checkout)"),
        ({"state": "FIRING"}, "approve or deny AP-1 (Roll back checkout)"),
    ],
    ids=["cleared", "no longer reported, which could not be checked", "firing"],
)
def test_once_the_alerts_have_cleared_the_next_step_says_so_before_what_waits(of_group: Any, next_step: str) -> None:
    proposals = [ProposalLine("AP-1", ProposalState.PENDING, "Roll back checkout")]
    _, blocks = rendered_triage(group=group(**of_group), proposals=proposals)

    assert f"*Next:* {next_step}" in words(blocks)


def test_the_next_step_of_a_new_outage_is_about_its_own_cause_and_not_what_was_proposed_before() -> None:
    proposals = [ProposalLine("AP-1", ProposalState.PENDING, "Roll back checkout", of_before=True)]
    _, blocks = rendered_triage(findings=findings(hypothesis(check="Read the provider's status page")), proposals=proposals)

    assert "*Next:* Read the provider's status page. AP-1 is for the earlier cause" in words(blocks)


def test_what_was_put_to_people_for_the_same_cause_is_the_next_step_also_of_what_is_new() -> None:
    proposals = [ProposalLine("AP-1", ProposalState.PENDING, of_before=True)]
    first, asks = (
        hypothesis(check="Does it recover with more room?"),
        hypothesis("load", check="Which clients?", kind="traffic"),
    )
    words_of = [
        words(rendered_triage(findings=findings(cause), proposals=proposals, renewed=True, earlier_cause=hypothesis())[1])
        for cause in (first, asks)
    ]

    assert "approve or deny AP-1" in words_of[0]
    assert "Which clients? AP-1 is for the earlier cause" in words_of[1]


@pytest.mark.parametrize(
    ("why", "by_hand"),
    [
        ("it has none yet.", True),
        ("rollback fits and was not proposed: AP-2 is open on the same target; decide or withdraw it first.", False),
    ],
)
def test_a_change_is_taken_back_by_hand_only_where_no_action_fits(why: str, by_hand: bool) -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(check="")), no_proposal=NoProposal(why, none_fits=by_hand))

    assert ("no action here fits" in words(blocks)) is by_hand
    assert by_hand or "AP-2 is open on the same target" in words(blocks)


@pytest.mark.parametrize(
    ("text", "subject", "name"),
    [
        (
            "deploy app: 1 (at) of shop at 22:31:03: nothing is wrong",
            "deploy app: 1 (at) of shop",
            "deploy app: 1 (at) of shop",
        ),
        ("deploy app:1.4.2 of shop: nothing is wrong", "", "deploy app:1.4.2 of shop"),
    ],
)
def test_a_change_that_is_ruled_out_is_named_with_its_whole_version(text: str, subject: str, name: str) -> None:
    cleared = Claim(text=text, evidence=["E1"], subject=subject)
    _, blocks = rendered_triage(findings=findings(hypothesis(), ruled_out=[cleared]))

    assert f"Ruled out:* {name}\n" in f"{words(blocks)}\n"


def test_a_card_names_the_first_cause_instead_of_the_last_change() -> None:
    _, blocks = rendered_card(first_cause=hypothesis("deploy 2.0 broke checkout"))

    assert "*Likely cause:* deploy 2.0 broke checkout" in words(blocks)
    assert "Last change" not in words(blocks)


def test_a_card_over_something_new_calls_the_cause_of_before_earlier_and_shows_its_own_start() -> None:
    _, blocks = rendered_card(first_cause=hypothesis(), cause_is_earlier=True, started_at=at(4))

    assert "*Earlier cause:* deploy v2 broke checkout" in words(blocks) and "Likely cause" not in words(blocks)
    assert f"{at(4):%H:%M:%S} UTC" in words(blocks)


def test_causes_ranked_for_something_new_name_what_was_first_before() -> None:
    _, blocks = rendered_triage(attempt=2, renewed=True, earlier_cause=hypothesis("deploy v1 broke checkout"))

    assert "*Earlier:* deploy v1 broke checkout" in words(blocks)
    assert "attempt 2 (new outage)" in words(blocks)


def test_the_cause_of_before_is_not_named_a_second_time_among_what_is_possible() -> None:
    texts = ("more requests than cart carries", "cart leaks memory")
    surge, leak = (hypothesis(text, confidence="possible", change_id="") for text in texts)
    _, blocks = rendered_triage(
        attempt=2, renewed=True, earlier_cause=surge, earlier_fires=True, findings=findings(hypothesis(), surge, leak)
    )

    assert "*Earlier, still firing:* more requests than cart carries" in words(blocks)
    assert "*Also possible:* cart leaks memory" in words(blocks)


def test_an_outage_that_runs_on_beside_a_new_one_is_said_to_fire() -> None:
    _, blocks = rendered_triage(
        attempt=2, renewed=True, earlier_cause=hypothesis("deploy v1 broke checkout"), earlier_fires=True
    )

    assert "*Earlier, still firing:* deploy v1 broke checkout" in words(blocks)


def test_what_was_taken_back_is_not_said_to_fire_nor_possible_though_alerts_of_it_have_not_ended() -> None:
    surge = hypothesis("deploy v1 broke checkout", service="checkout", change_id="d1")
    again = hypothesis("deploy v1 of checkout broke cart", service="checkout", change_id="d1", confidence="possible")
    content = {"earlier_cause": surge, "earlier_fires": True, "recovered_after": "AP-1"}
    _, blocks = rendered_triage(attempt=2, renewed=True, findings=findings(hypothesis("cart leaks"), again), **content)

    assert "*Earlier, recovered after AP-1:* deploy v1 broke checkout" in words(blocks)
    assert "still firing" not in words(blocks) and "Also possible" not in words(blocks)


@pytest.mark.parametrize(
    ("running", "text"), [(False, "attempt 3 (new outage)"), (True, "attempt 2 (new outage); being ranked again")]
)
def test_a_further_attempt_at_a_new_outage_still_says_that_it_is_one(text: str, *, running: bool) -> None:
    state, shown = (TriageState.INVESTIGATING, 2) if running else (TriageState.DONE, 3)
    _, blocks = rendered_triage(attempt=3, shown_attempt=shown, state=state, renewed=True, is_retry=True)

    assert words(blocks).endswith(text)


def test_an_attempt_made_again_says_so_and_keeps_the_next_step_of_the_one_before_while_it_runs() -> None:
    state: dict[str, Any] = {"attempt": 2, "shown_attempt": 1, "is_retry": True, "state": TriageState.INVESTIGATING}
    _, blocks = rendered_triage(findings=findings(hypothesis(check="Read the provider's status page")), **state)

    assert "*TRIAGED* AL-3; being ranked again" in words(blocks)
    assert "*Next:* Read the provider's status page" in words(blocks)
    assert "*TRIAGED* AL-3; ranking it again failed" in words(rendered_triage(**{**state, "state": TriageState.FAILED})[1])
    done = rendered_triage(findings=findings(hypothesis()), attempt=2, shown_attempt=2, is_retry=True)
    assert "*TRIAGED* AL-3, attempt 2 (ranked again)" in words(done[1])


def test_one_is_told_as_one() -> None:
    before = BacklogContent(source="prod", alerts=[BacklogAlert("t", "checkout", "SEV3")])

    assert rendered_storm([group(alerts=1)])[0] == "Storm: 1 service, 1 alert in 1 group, not resolved yet."
    assert backlog.render(before, VIEW)[0].endswith(": 1 alert.")
    assert ", 1 alert firing. " in rendered_card(alerts=1, firing=1)[0]


def test_a_storm_card_names_where_the_storm_seems_to_come_from() -> None:
    _, blocks = rendered_storm([group(service="cart")] * 5, StormOrigin("catalogue", 4))

    assert "*Suspected origin:* catalogue: 4 of 5 firing groups" in words(blocks)


def test_a_draft_is_read_as_sections_and_exported_as_markdown() -> None:
    sections = [PostmortemSection(title="Impact", sentences=(Sentence(text="20 % failed", sources=("E9",)),))]
    draft = PostmortemReply(ref="INC-1", n=1, markdown="## Impact", sections=sections)

    assert "*Impact*\\n• 20 % failed (E9)" in words(postmortem.render_full(draft, VIEW)[1])
    assert "```\\n## Impact" in words(postmortem.render_full(replace(draft, sections=()), VIEW)[1])


def test_a_draft_is_read_whole_whatever_its_length() -> None:
    impact = Sentence(text=" ".join(f"s{n} errors exceeded 2 % for 4.4 min." for n in range(40)), sources=("E9",))
    entries = tuple(Sentence(text=f"entry {n} " + "x" * 200, sources=("T1",)) for n in range(60))
    sections = [PostmortemSection(title="Impact", sentences=(impact,)), PostmortemSection(title="Timeline", sentences=entries)]
    shown = words(postmortem.render_full(PostmortemReply(ref="INC-1", n=1, markdown="", sections=sections), VIEW)[1])

    assert "s39 errors exceeded 2 %" in shown and "entry 59 " in shown and "more line" not in shown


def test_a_draft_shows_the_graph_of_the_incident_if_there_is_one() -> None:
    draft = PostmortemContent(ref="INC-1", n=1, title="x", sections=(), graph="postmortem:INC-1:1")

    assert {"type": "image", "picture": "postmortem:INC-1:1"} in postmortem.render(draft, VIEW)[1]
    assert "image" not in words(postmortem.render(replace(draft, graph=""), VIEW)[1])


def test_a_claim_without_evidence_is_marked() -> None:
    _, blocks = rendered_details(findings=findings(hypothesis(claims=[claim("the moon did it")])))

    assert "the moon did it (no evidence was named)" in words(blocks)


def test_the_small_print_says_who_ranked_and_that_the_model_was_away() -> None:
    note = "Model not available (time-out)."
    _, blocks = rendered_triage(findings=findings(hypothesis(), note=note))

    assert "5 queries in 2 s, no AI model" in words(blocks[-1:]) and "*TRIAGED* AL-3" in words(blocks[-1:])
    assert note in words(rendered_details(findings=findings(hypothesis(), note=note))[1])


@pytest.mark.parametrize(
    ("states", "shown"), [((), True), (("expired", "denied"), True), (("expired", "pending"), False), (("succeeded",), False)]
)
def test_why_nothing_is_proposed_stands_there_unless_something_is_or_was_done(states: tuple[str, ...], shown: bool) -> None:
    why = "the first cause is not sure enough (possible)"
    _, blocks = rendered_triage(no_proposal=NoProposal(f"{why}.", none_fits=True), proposals=proposal_lines(*states))

    assert (why in words(blocks)) is shown


def everything_nasty() -> list[tuple[str, list[Block]]]:
    nasty = hypothesis(NASTY, claims=[claim(NASTY * 5, "E1")] * 6, against=[claim(NASTY, "E9")] * 6, not_checked=[NASTY] * 8)
    evidence = {"E1": entry(summary=NASTY, query=NASTY * 9, link="https://attacker.example")}
    sections = [PostmortemSection(title="Summary", sentences=(Sentence(text=NASTY, sources=("T1",)),))]
    runbook = RunbookExcerpt(title=NASTY, link="https://attacker.example", passage=NASTY * 9, evidence="")
    changes = [change(NASTY, title=NASTY, author=NASTY, evidence="")] * 9
    alerts = [BacklogAlert(NASTY + str(n), NASTY, "SEV3") for n in range(90)]
    return [
        rendered_card(
            title=NASTY * 9,
            service=NASTY,
            summary=NASTY * 50,
            acknowledged_by=NASTY,
            links=[("Source", "https://attacker.example"), ("Runbook", NASTY)],
        ),
        rendered_triage(
            group=group(service=NASTY),
            question=NASTY,
            requester=NASTY,
            findings=findings(nasty, nasty, nasty, note=NASTY, ruled_out=[claim(NASTY, "E1")] * 9, not_checked=[NASTY] * 9),
            facts=facts(onset_text=NASTY, changes=changes, health=[NASTY] * 9, runbook=runbook),
            evidence=evidence,
        ),
        rendered_details(
            question=NASTY,
            requester=NASTY,
            findings=findings(nasty, nasty, nasty, note=NASTY, ruled_out=[claim(NASTY, "E1")] * 9, not_checked=[NASTY] * 9),
            facts=facts(onset_text=NASTY, main=NASTY, changes=changes, health=[NASTY] * 9, runbook=runbook),
            evidence=evidence,
        ),
        rendered_storm([group(title=NASTY, service=NASTY)] * 300),
        backlog.render(BacklogContent(source=NASTY, alerts=alerts), VIEW),
        line.render(LineContent(text=NASTY * 40), VIEW),
        postmortem.render(PostmortemContent(ref="INC-1", n=1, title=NASTY, sections=sections), VIEW),
        why.render(
            WhyReply(ref="AL-1", n=1, count=1, hypothesis=nasty, ruled_out=[claim(NASTY, "E1")] * 4, evidence=evidence), VIEW
        ),
        postmortem.render_full(PostmortemReply(ref="INC-1", n=1, markdown=(NASTY + "\n") * 900), VIEW),
    ]


@pytest.mark.parametrize("rendered", everything_nasty())
def test_no_view_breaks_slacks_limits_or_lets_foreign_text_act(rendered: tuple[str, list[Block]]) -> None:
    text, blocks = rendered

    assert check_blocks(blocks) == [] or text.startswith(("Details", "Postmortem of")), "dialogs hold more"
    assert "<!channel>" not in words(blocks) + text
    assert "https://attacker" not in words(blocks) + text
    assert "*APPROVED*" not in " ".join(outside_code(blocks))


def test_help_is_made_from_the_commands_it_is_given() -> None:
    ack = CommandHelp(name="ack", usage="ack [AL-3]", summary="Take it.", text="Take it.", who="members")

    _, blocks = help_view.render(HelpReply(commands=[ack], suggested=["ack"], slash="/incident", where="here"), VIEW)

    assert "`ack [AL-3]` Take it." in words(blocks)


def test_a_line_too_long_for_slack_says_how_much_is_shown_and_where_all_of_it_stands() -> None:
    _, blocks = line.render(LineContent(text="x" * 4000, full_text_at="`show AL-3`"), VIEW)

    assert "Cut: 4,000 characters, 2,500 shown; the whole text: `show AL-3`" in words(blocks)
    assert len(line.render(LineContent(text="short"), VIEW)[1]) == 1


def test_lines_that_do_not_fit_are_counted_and_so_are_characters() -> None:
    assert cut_lines("\n".join(["x" * 40] * 4), 100).endswith("… 3 more lines")
    one = cut_lines("y" * 400, 100)
    assert len(one) <= 100 and one.endswith(f"{400 - one.count('y')} more characters")


def test_a_healthy_service_is_told_as_such_with_its_evidence() -> None:
    because = [claim("checkout: nothing that was looked at is beyond its bound", "E1")]
    _, blocks = rendered_triage(findings=findings(category="healthy", because=because))

    assert "*Nothing looks wrong:* checkout: nothing that was looked at" in words(blocks) and "Not known" not in words(blocks)


def test_the_kind_of_cause_is_behind_details() -> None:
    _, blocks = rendered_details(findings=findings(hypothesis(), category="resource_exhaustion"))

    assert "Kind of cause: resource exhaustion" in words(blocks)


def test_what_could_not_be_looked_at_is_told_once_in_plain_words_and_the_rest_is_counted() -> None:
    failed = [f"Could not check (health of {name}): no answer within 3 s" for name in ("pay", "a", "b", "c", "d", "e")]
    ranked = findings(hypothesis(not_checked=failed[:1]), not_checked=failed)
    text = words(rendered_triage(findings=ranked)[1])

    assert "*Not checked:* health of pay (5 more)" in text and "Could not check" not in text
    assert text_of(rendered_details(findings=ranked)[1]).count("no answer within 3 s") == 6


def test_of_what_could_not_be_looked_at_one_is_named_whose_name_fits() -> None:
    failed = ["Could not check (kinds of log line of checkout): no answer", "Could not check (logs of checkout): no answer"]

    assert "*Not checked:* logs of checkout (1 more)" in words(rendered_triage(findings=findings(not_checked=failed))[1])


def test_nothing_wrong_is_no_all_clear_where_a_check_failed() -> None:
    well = findings(category="healthy", because=[claim("checkout is as usual", "E1")])
    blind = well.model_copy(update={"not_checked": ["Could not check (logs of checkout): no answer"]})

    assert "*Nothing looks wrong:* checkout is as usual" in words(rendered_triage(findings=well)[1])
    text, blocks = rendered_triage(findings=blind)
    assert "which is no all-clear: 1 check failed:* checkout is as usual" in words(blocks)
    assert text.endswith(": Nothing looks wrong in what could be checked")


def test_where_nothing_looks_wrong_a_chance_cause_neither_leads_nor_names_the_message() -> None:
    chance = findings(hypothesis(confidence="unlikely", likelihood=0.1), category="healthy")
    text, blocks = rendered_triage(findings=chance)

    assert text.endswith(": Nothing looks wrong")
    assert "deploy v2" not in words(blocks) and "*1. Unlikely:* deploy v2" in words(rendered_details(findings=chance)[1])


def test_the_reason_of_a_model_s_stop_is_told_once() -> None:
    ranked = findings(hypothesis(), note="Model not available (server answered 500).", stop_reason="server answered 500")

    assert text_of(rendered_details(findings=ranked)[1]).count("server answered 500") == 1


def shown_group(**values: Any) -> ShowReply:
    fields = {"ref": "AL-1", "title": "Errors", "service": "pay", "severity": "SEV2", "state": "FIRING", "group": "AL-1"}
    return ShowReply(**{**fields, **values})


def test_a_proposal_in_short_lists_the_others_and_not_itself() -> None:
    declared = TimelineEntry(id="T1", at=at(2), kind="incident", who="policy", text="INC-1 was declared by policy")
    reply = shown_group(incident="INC-1", timeline=[declared], proposals=proposal_lines("pending"))

    whole = words(show.render(reply, VIEW)[1])
    own = words(show.render(replace(reply, ref="AP-1", proposal=proposal_content()), VIEW)[1])
    assert "AP-1 pending" in whole and "AP-1 pending" not in own and "INC-1, AL-1" in own
    assert "*Timeline, newest last:*\\n2026-03-01 03:02:00 UTC INC-1 was declared by policy" in whole


def test_a_group_in_short_shows_why_its_alerts_stand_together_and_what_mutes_others() -> None:
    joined = [(OPENED, 1), (Membership(GroupingReason.RELATED_SERVICE, "pay depends on <!channel>"), 2)]
    reasons = AlertReasons("pay", joined=joined, muted=[("maintenance: upgrade", 1)])

    shown = words(show.render(shown_group(reasons=reasons), VIEW)[1])

    assert "*Why these alerts are one group:*\\n2 alerts: pay depends on" in shown and "<!channel>" not in shown
    assert "*Muted alerts of pay since then:*\\n1 alert: maintenance: upgrade" in shown
    assert "Why these alerts" not in words(show.render(shown_group(), VIEW)[1])


def test_the_list_says_what_its_moments_and_names_are() -> None:
    row = ListRow(ref="AL-1", title="Errors", service="pay", severity="SEV2", state="FIRING", assignee="bob", opened_at=at(0))
    _, blocks = listing.render(ListReply(rows=[row], title="Open"), VIEW)

    assert "· Errors · opened <!date^" in words(blocks) and ", taken by bob" in words(blocks)


@pytest.mark.parametrize(("alerts", "firing", "told"), [(3, 3, "3 alerts firing"), (3, 0, "3 alerts, none firing")])
def test_as_many_alerts_as_fire_are_one_number(alerts: int, firing: int, told: str) -> None:
    assert f", {told}. " in rendered_card(alerts=alerts, firing=firing)[0]


def test_in_short_a_group_where_nothing_looks_wrong_names_no_cause() -> None:
    well = findings(
        hypothesis(confidence="unlikely"), category="healthy", not_checked=["Could not check (logs of pay): no answer"]
    )

    assert show.findings_line(well) == "*Nothing looks wrong in what could be checked.* 1 check failed."
    assert show.findings_line(findings()) == "*No cause was found.*"


def test_who_may_approve_is_answered_by_what_waits_and_not_by_the_lack_of_evidence() -> None:
    reply = QuestionAnswer(findings=[], waiting=["AP-2 waits for approval. Who may approve: bob"], unseen=[], checked=["E1"])
    content = AnswerContent(ref="AL-3", question="who may approve?", requester="alice", answer=reply, evidence=ledger())
    fallback, blocks = answer.render(content, VIEW)

    assert fallback == "Answer, AL-3: AP-2 waits for approval. Who may approve: bob"
    assert "says nothing" not in words(blocks) and "*Waiting:* AP-2 waits" in words(blocks)


def test_what_changed_is_told_as_a_colleague_would_and_others_text_is_a_quotation() -> None:
    deploy = Change(
        id="ci:1", at=at(0), service="pay", kind="deploy", title="Log ids", author="alice", version="2", previous_version="1"
    )
    evidence = {
        "E2": entry("E2").model_copy(
            update={"evidence": Evidence(summary="3 changes", query="q", facts=EvidenceFacts(changes=(deploy,)))}
        )
    }
    listed = Finding(
        lines=["3 changes; newest: deploy of pay", "2026-03-01 03:00:00Z deploy pay: Log ids [ci:1]"], evidence=["E2"]
    )
    logged = Finding(lines=["boom <!channel> https://attacker.example"], evidence=["E9"], untrusted=True)
    reply = QuestionAnswer(findings=[listed, logged], waiting=[], unseen=[], checked=[])
    _, blocks = answer.render(
        AnswerContent(ref="AL-3", question="what changed?", requester="bob", answer=reply, evidence=evidence), VIEW
    )

    assert "UTC deploy pay 1 → 2, alice: “Log ids” (E2)" in words(blocks) and "3 changes" not in words(blocks)
    quote = next(block for block in blocks if "rich_text_quote" in str(block))
    assert "boom ‹!channel› hxxps[:]//attacker[.]example" in words([quote]) and "`" not in words(blocks)


def test_what_to_do_is_answered_by_the_next_step_and_who_may_approve() -> None:
    waiting = ["AP-1 waits for approval: Roll back pay. Who may approve: bob"]
    cause = Finding(lines=["Cause 1, likely: deploy 2 broke pay"], evidence=["E1"])
    reply = QuestionAnswer(findings=[cause], waiting=waiting, unseen=[], checked=[])
    content = AnswerContent(
        ref="AL-3",
        question="what should I do?",
        requester="bob",
        answer=reply,
        evidence={},
        next_step="approve or deny AP-1, below",
    )
    text, blocks = answer.render(content, VIEW)

    assert text == "Answer, AL-3: approve or deny AP-1, below"
    assert "*Next:* approve or deny AP-1, below\\n*Who may approve:* bob" in words(blocks) and "Cause 1" not in words(blocks)


def test_what_an_alert_said_is_told_as_past_once_all_have_cleared() -> None:
    push, blocks = rendered_card(state="MONITORING", firing=0)

    assert "*Was:* “5xx ratio is 7.4 %”" in text_of(blocks) and "7.4 %" not in push


def test_a_start_on_another_day_is_read_aloud_with_its_day() -> None:
    assert rendered_card(started_at=at(-24 * 60))[0].startswith("Firing since 2026-02-28 03:00:00 UTC, ")


def test_what_an_alert_said_is_not_past_where_nobody_knows_that_it_ended() -> None:
    push, blocks = rendered_card(state="MONITORING", firing=0, cleared_at=at(4), unconfirmed_at=at(5))

    assert "Was" not in text_of(blocks) and "5xx ratio is 7.4 %" in text_of(blocks) and "5xx ratio is 7.4 %" in push


def test_a_card_does_not_repeat_its_header() -> None:
    blocks = rendered_card(title="Order mails are late", summary="Order mails are late")[1]

    assert text_of(blocks).count("Order mails are late") == 1


def test_a_postmortem_message_cuts_no_sentence_and_counts_those_left_out() -> None:
    impact = " ".join(f"service{n} errors exceeded 2 % for 5.3 min (peak 70.6 %, mean 41.7 %)." for n in range(1, 7))
    sections = [PostmortemSection(title="Impact", sentences=[Sentence(text=impact, sources=("E9",))])]

    text = text_of(postmortem.render(PostmortemContent(ref="INC-1", n=1, title="x", sections=sections), VIEW)[1])

    assert "service4 errors exceeded 2 % for 5.3 min (peak 70.6 %, mean 41.7 %). 2 more sentences under Read (E9)" in text
    assert "…" not in text


def test_before_the_first_check_none_is_counted() -> None:
    looking = text_of(rendered_triage(state=TriageState.INVESTIGATING, findings=None)[1])

    assert "Looking for the cause\n" in looking
