"""Over every fault of the sandbox: the triage is read within 90 words, and nothing in it contradicts the rest."""

from dataclasses import replace

import pytest

from bot.core.investigation.triage_state import TriageState
from bot.core.messages.replies import DetailsReply
from bot.core.messages.triage_summary import MAX_WORDS
from bot.slack.view_context import ViewContext
from bot.slack.views import details, proposal, triage
from tests.answers.recorded import investigated
from tests.messages.contents import triage_of
from tests.messages.rules import broken_rules
from tests.messages.words import text_of, words_of
from tests.unit.slack.contents import claim, findings, hypothesis, proposal_content, triage_content

FAULTS = sorted(investigated())
VIEW = ViewContext(hosts={"shop.test"})


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("proposed", [True, False])
@pytest.mark.parametrize("after", ["", *FAULTS[::6]])
def test_a_triage_is_read_within_its_words(name: str, after: str, *, proposed: bool) -> None:
    content = triage_of(investigated()[name], proposed=proposed)
    if proposed:
        content = replace(content, waiting=proposal_content().proposal)
    if after:
        earlier, first = (investigated()[fault].findings.hypotheses[0] for fault in (after, name))
        content = replace(content, attempt=2, renewed=True, earlier_cause=earlier, earlier_fires=not proposed)
    _, blocks = triage.render(content, VIEW)
    label = "*Earlier:*" if proposed else "*Earlier, still firing:*"

    assert words_of(blocks) <= MAX_WORDS
    assert (label in text_of(blocks)) == (after != "" and earlier.cause != first.cause)


@pytest.mark.parametrize("name", FAULTS)
def test_no_message_about_a_fault_contradicts_itself(name: str) -> None:
    content = triage_of(investigated()[name])
    shown = text_of(triage.render(content, VIEW)[1])
    whole = text_of(details.render(DetailsReply(triage=content), VIEW)[1])

    assert broken_rules(content, shown) == [] and broken_rules(content, whole) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_triage_says_what_broke_since_when_the_cause_and_the_next_step(name: str) -> None:
    one = investigated()[name]
    shown = text_of(triage.render(triage_of(one), VIEW)[1])

    assert f"{one.case.service} left the normal range at" in shown
    assert one.findings.hypotheses[0].cause[:30] in shown and "*Next:*" in shown


@pytest.mark.parametrize("state", ["investigating", "stopped", "failed"])
def test_words_are_left_for_how_it_is_ranked_again(state: str) -> None:
    long = "the service that answers requests of customers is slow because something in it " * 4
    cause = hypothesis(long[:300], claims=[claim(long[:400], "E1")] * 6, check=long[:300])
    again = {"attempt": 3, "shown_attempt": 2, "renewed": True, "state": TriageState(state)}
    _, blocks = triage.render(triage_content(findings=findings(cause, ruled_out=[claim(long[:400], "E3")] * 9), **again), VIEW)

    assert "ranking it again" in text_of(blocks) or "being ranked again" in text_of(blocks)
    assert words_of(blocks) <= MAX_WORDS


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_long_winded_model_pushes_nothing_out_of_sight(attempt: int) -> None:
    long = "the service that answers requests of customers is slow because something in it " * 4
    cause = hypothesis(
        long[:300], claims=[claim(long[:400], "E1")] * 6, against=[claim(long[:400], "E2")] * 6, check=long[:300]
    )
    attempts = {"attempt": attempt, "renewed": True, "waiting": proposal_content().proposal, "earlier_cause": cause}
    content = triage_content(findings=findings(cause, not_checked=[long] * 9, steps=38, seconds=7.0), **attempts)
    shown = text_of(triage.render(content, VIEW)[1])

    assert words_of(triage.render(content, VIEW)[1]) <= MAX_WORDS
    assert [label for label in ("*Likely:*", "*Against:*", "*Not checked:*", "*Next:*") if label not in shown] == []


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("tier", [1, 2, 3])
def test_an_approval_is_read_within_its_words(name: str, tier: int) -> None:
    one = investigated()[name]
    cause = one.findings.hypotheses[0]
    fields = {
        "title": f"Restart all pods of {one.root}, one after the other",
        "because": f"{cause.cause} ({cause.confidence_text}, E8, E9, E19, E34)",
        "service": one.root,
        "targets": {one.root: "2"},
        "arguments": {"version": "5.1.0", "previous_version": "5.0.3"},
        "tier": tier,
        "undo": "going back to the number of replicas before",
    }
    _, blocks = proposal.render(proposal_content(fields), VIEW)

    assert words_of(blocks) <= proposal.MAX_WORDS
    assert "*Because:*" in text_of(blocks) and "can approve" in text_of(blocks)
