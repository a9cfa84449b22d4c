"""Cards: what people see in each state, and what they never see."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.core.alerts.reasons import AlertReasons
from bot.core.history.postmortem import PostmortemSection, Sentence
from bot.core.investigation.triage_facts import RunbookExcerpt
from bot.core.messages.alerts import BacklogAlert, BacklogContent, LineContent, StormOrigin
from bot.core.messages.investigation import AnswerContent, PostmortemContent
from bot.core.messages.replies import CommandHelp, HelpReply, ListReply, ListRow, PostmortemReply, ShowReply, WhyReply
from bot.core.questions.answering import QuestionAnswer
from bot.core.timeline import TimelineEntry
from bot.slack.blocks import Block, check_blocks, cut_lines, text_size
from bot.slack.views import answer, backlog, line, listing, postmortem, show, why
from bot.slack.views import help as help_view
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
    rendered_storm,
    rendered_triage,
)


def words(blocks: list[Block]) -> str:
    return json.dumps(blocks, ensure_ascii=False)


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

    assert blocks[0]["text"]["text"] == "FIRING SEV2 · checkout · HighErrorRate"
    assert text == "Firing, severity 2: checkout HighErrorRate, 60 alerts, 58 firing, 3 repeats. Not acknowledged."
    assert controls(blocks) == ["ack", "declare"]


def test_an_acknowledged_card_names_who_and_offers_no_second_acknowledgement() -> None:
    _, blocks = rendered_card(state="ACKNOWLEDGED", acknowledged_by="alice", acknowledged_at=at(2))

    assert "ack" not in controls(blocks)
    assert "*ACKNOWLEDGED* by alice" in words(blocks)


def test_a_resolved_card_collapses_to_its_header_one_control_and_the_state() -> None:
    _, blocks = rendered_card(state="RESOLVED", resolved_by="alice", resolved_at=at(17))

    assert [block["type"] for block in blocks] == ["header", "actions", "context"]
    assert "*RESOLVED* by alice after 17 min" in words(blocks)
    assert controls(blocks) == ["postmortem"]


def test_the_on_call_is_mentioned_only_when_the_state_asks_for_it() -> None:
    _, quiet = rendered_card()
    _, loud = rendered_card(mention=["U1"])

    assert "<@" not in words(quiet)
    assert words(loud).count("<@U1>") == 1


def test_facts_without_findings_stand_as_facts() -> None:
    _, blocks = rendered_triage(findings=None)

    assert blocks[0]["text"]["text"].startswith("FACTS")
    assert "4 min before onset: deploy of checkout" in words(blocks)
    assert {"type": "image", "picture": "triage:AL-3:1"} in blocks


def test_changes_that_could_not_be_checked_are_never_none_found() -> None:
    _, blocks = rendered_triage(facts=facts(changes=[], changes_ok=False))

    assert "*Changes:* could not check" in words(blocks)

    _, blocks = rendered_triage(facts=facts(changes=[], changes_partly=True))
    assert "*Changes:* none found in what could be checked (E2)" in words(blocks)


def test_a_hypothesis_shows_word_number_evidence_and_what_speaks_against_it() -> None:
    _, blocks = rendered_triage()

    text = words(blocks)
    assert "*Likely:* deploy v2 broke checkout" in text
    assert "errors rose 40 s after the deploy (E1)" in text
    assert "*Against:* traffic was normal (E2)" in text
    assert "*Not checked:* node metrics" in text


def test_each_cited_evidence_is_linked_once_and_queries_stay_behind_why() -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(), hypothesis("load", likelihood=0.1)))

    assert words(blocks).count("<http://prometheus.example/x1|E1 health of checkout>") == 1
    assert '"up"' not in words(blocks) and "`up`" not in words(blocks)
    reply = WhyReply(ref="AL-3", n=1, count=2, hypothesis=hypothesis(), evidence=ledger())
    assert "```\\nup\\n```" in words(why.render(reply, VIEW)[1])


def test_the_other_causes_take_one_line_each() -> None:
    second = hypothesis("load grew", confidence="unlikely", likelihood=0.1, against=[claim("traffic was normal", "E2")])
    _, blocks = rendered_triage(findings=findings(hypothesis(), second))

    assert "*2. Unlikely:* load grew. Against: traffic was normal (E2)" in words(blocks)


def test_at_most_three_changes_stand_and_those_of_the_suspects_come_first() -> None:
    names = ("cart", "auth", "search", "checkout")
    changes = [change(name, id=name, kind="config", age_text="1 h before onset") for name in names]
    _, blocks = rendered_triage(facts=facts(changes=changes))

    listed = ", ".join(f"config edit of {name} 1 h before onset" for name in ("checkout", "cart", "auth"))
    assert f"*Changes:* {listed} and 1 more (E2)" in words(blocks)
    assert "of search" not in words(blocks)


def test_a_triage_reads_in_under_2500_characters() -> None:
    many = [claim("deploy 3.19.0 of storefront at 02:23:09 UTC: explained by catalogue", "E1", "E2")] * 4
    _, blocks = rendered_triage(findings=findings(*[hypothesis()] * 3, ruled_out=many))

    assert text_size(json.loads(re.sub(r"<http[^|]*\|", "<", json.dumps(blocks)))) < 2500


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

    assert "*Before that:* likely, deploy v1 broke checkout" in words(blocks)
    assert "attempt 2, for what is new here" in words(blocks)


def test_one_is_told_as_one() -> None:
    before = BacklogContent(source="prod", alerts=[BacklogAlert("t", "checkout", "SEV3")])

    assert rendered_storm([group()] * 2)[0].startswith("Storm: 2 alert groups on 1 service, 2 not")
    assert backlog.render(before, VIEW)[0].endswith(": 1 alert.")
    assert "1 alert firing, 1 repeat" in rendered_card(alerts=1, firing=1, repeats=1)[0]


def test_a_storm_card_names_where_the_storm_seems_to_come_from() -> None:
    _, blocks = rendered_storm([group(service="cart")] * 5, StormOrigin("catalogue", 4))

    assert "*Suspected origin:* catalogue: 4 of 5 firing groups" in words(blocks)


def test_a_draft_is_read_as_sections_and_exported_as_markdown() -> None:
    sections = [PostmortemSection(title="Impact", sentences=(Sentence(text="20 % failed", sources=("E9",)),))]
    draft = PostmortemReply(ref="INC-1", n=1, markdown="## Impact", sections=sections)

    assert "*Impact*\\n• 20 % failed (E9)" in words(postmortem.reading(draft, VIEW)[1])
    assert "```\\n## Impact" in words(postmortem.reading(replace(draft, sections=()), VIEW)[1])


def test_a_draft_shows_the_graph_of_the_incident_if_there_is_one() -> None:
    draft = PostmortemContent(ref="INC-1", n=1, title="x", sections=(), graph="postmortem:INC-1:1")

    assert {"type": "image", "picture": "postmortem:INC-1:1"} in postmortem.render(draft, VIEW)[1]
    assert "image" not in words(postmortem.render(replace(draft, graph=""), VIEW)[1])


def test_a_claim_without_evidence_is_called_unsupported() -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(claims=[claim("the moon did it")])))

    assert "the moon did it (unsupported)" in words(blocks)


def test_the_small_print_says_who_ranked_and_that_the_model_was_away() -> None:
    note = "Model not available (time-out)."
    _, blocks = rendered_triage(findings=findings(hypothesis(), note=note))

    assert note in words(blocks[-1:]) and "5 queries in 2 s, no AI model" in words(blocks[-1:])
    assert "*TRIAGED* AL-3" in words(blocks[-1:])


@pytest.mark.parametrize(
    ("states", "shown"), [((), True), (("expired", "denied"), True), (("expired", "pending"), False), (("succeeded",), False)]
)
def test_why_nothing_is_proposed_stands_there_unless_something_is_or_was_done(states: tuple[str, ...], shown: bool) -> None:
    why = "No action of the catalogue fits: the first cause is only possible."
    _, blocks = rendered_triage(no_proposal=why, proposals=proposal_lines(*states))

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
        rendered_storm([group(title=NASTY, service=NASTY)] * 300),
        backlog.render(BacklogContent(source=NASTY, alerts=alerts), VIEW),
        line.render(LineContent(text=NASTY * 40), VIEW),
        postmortem.render(PostmortemContent(ref="INC-1", n=1, title=NASTY, sections=sections), VIEW),
        why.render(
            WhyReply(ref="AL-1", n=1, count=1, hypothesis=nasty, ruled_out=[claim(NASTY, "E1")] * 4, evidence=evidence), VIEW
        ),
        postmortem.reading(PostmortemReply(ref="INC-1", n=1, markdown=(NASTY + "\n") * 900), VIEW),
    ]


@pytest.mark.parametrize("rendered", everything_nasty())
def test_no_view_breaks_slacks_limits_or_lets_foreign_text_act(rendered: tuple[str, list[Block]]) -> None:
    text, blocks = rendered

    assert check_blocks(blocks) == []
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

    assert "*Nothing looks wrong.*" in words(blocks) and "E1" in words(blocks) and "No cause was found" not in words(blocks)


def test_the_kind_of_cause_stands_in_the_small_print() -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(), category="resource_exhaustion"))

    assert "Kind of cause: resource exhaustion" in words(blocks)


def test_what_could_not_be_looked_at_is_told_once_in_plain_words_and_the_rest_is_counted() -> None:
    failed = [f"Could not check (health of {name}): no answer within 3 s" for name in ("pay", "a", "b", "c", "d", "e")]
    found = findings(hypothesis(not_checked=failed[:1]), not_checked=failed)
    text = words(rendered_triage(findings=found)[1])

    assert text.count("health of pay: no answer within 3 s") == 1 and "Could not check" not in text
    assert "*Not checked:* health of d: no answer" in text and "*Not checked:* 1 more" in text


def test_nothing_wrong_is_no_all_clear_where_a_check_failed() -> None:
    well = findings(category="healthy", because=[claim("checkout is as usual", "E1")])
    blind = well.model_copy(update={"not_checked": ["Could not check (logs of checkout): no answer"]})

    assert "*Nothing looks wrong.* checkout is as usual (E1)" in words(rendered_triage(findings=well)[1])
    text, blocks = rendered_triage(findings=blind)
    assert "which is no all-clear:* 1 check failed. checkout is as usual (E1)" in words(blocks)
    assert text.endswith(": Nothing looks wrong in what could be checked")


def test_where_nothing_looks_wrong_a_chance_cause_neither_leads_nor_names_the_message() -> None:
    chance = findings(hypothesis(confidence="unlikely", likelihood=0.1), category="healthy")
    text, blocks = rendered_triage(findings=chance)

    assert text.endswith(": Nothing looks wrong")
    assert "*1. Unlikely:* deploy v2 broke checkout" in words(blocks)


def test_the_reason_of_a_model_s_stop_is_told_once() -> None:
    found = findings(hypothesis(), note="Model not available (server answered 500).", stop_reason="server answered 500")

    assert words(rendered_triage(findings=found)[1]).count("server answered 500") == 1


def shown_group(**values: Any) -> ShowReply:
    fields = {"ref": "AL-1", "title": "Errors", "service": "pay", "severity": "SEV2", "state": "FIRING", "group": "AL-1"}
    return ShowReply(**{**fields, **values})


def test_a_proposal_in_short_lists_the_others_and_not_itself() -> None:
    declared = TimelineEntry(id="T1", at=at(2), kind="incident", who="policy", text="INC-1 was declared by policy")
    reply = shown_group(incident="INC-1", timeline=[declared], proposals=proposal_lines("pending"))

    whole = words(show.render(reply, VIEW)[1])
    own = words(show.render(replace(reply, ref="AP-1", proposal=proposal_content()), VIEW)[1])
    assert "AP-1 pending" in whole and "AP-1 pending" not in own and "INC-1, AL-1" in own
    assert "*Timeline in UTC, newest last:*\\n2026-03-01 03:02:00 INC-1 was declared by policy" in whole


def test_a_group_in_short_shows_why_its_alerts_stand_together_and_what_mutes_others() -> None:
    joined = [("it opened the group", 1), ("pay depends on <!channel>", 2)]
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
    assert f", {told}. " in rendered_card(alerts=alerts, firing=firing, repeats=0)[0]


def test_in_short_a_group_where_nothing_looks_wrong_names_no_cause() -> None:
    well = findings(
        hypothesis(confidence="unlikely"), category="healthy", not_checked=["Could not check (logs of pay): no answer"]
    )

    assert show.findings_line(well) == "*Nothing looks wrong in what could be checked.* 1 check failed."
    assert show.findings_line(findings()) == "*No cause was found.*"


def test_who_may_approve_is_answered_by_what_waits_and_not_by_the_lack_of_evidence() -> None:
    found = QuestionAnswer(findings=[], waiting=["AP-2 waits for approval. Who may approve: bob"], unseen=[], checked=["E1"])
    asked = AnswerContent(ref="AL-3", question="who may approve?", requester="alice", answer=found, evidence=ledger())
    fallback, blocks = answer.render(asked, VIEW)

    assert fallback == "Answer, AL-3: AP-2 waits for approval. Who may approve: bob"
    assert "says nothing" not in words(blocks) and "*Waiting:* AP-2 waits" in words(blocks)
