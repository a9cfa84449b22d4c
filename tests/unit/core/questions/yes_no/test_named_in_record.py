"""Where nothing measures what is asked, the first sentence says what of the record names it, and whose words those are."""

from typing import Any

import pytest

from bot.core.evidence import Claim, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import TemplateFact
from bot.core.messages.investigation import AnswerContent
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import answer
from bot.core.timeline import TimelineEntry
from bot.slack.view_context import ViewContext
from bot.slack.views.answer import render
from tests.unit.builders import NOW, at
from tests.unit.tools.tool_fixture import INFOS


def check(id: str, tool: str, *details: str, ok: bool = True, templates: tuple[TemplateFact, ...] = ()) -> LedgerEntry:
    facts = EvidenceFacts(templates=templates)
    summary = f"{tool} of payments" if ok else details[0]
    evidence = Evidence(summary=summary, query="q", details=details, ok=ok, user_controllable=True, facts=facts)
    return LedgerEntry(id=id, group="AL-1", tool=tool, arguments={"service": "payments"}, at=at(3), evidence=evidence)


def kind(template: str, count: int, trend: Any = "new") -> TemplateFact:
    return TemplateFact(template=template, count=count, before=0, trend=trend)


LOGS = check(
    "E1", "search_logs",
    templates=(
        kind("INFO GET acquirer 200", 900, "steady"),
        kind("ERROR call to acquirer failed: deadline exceeded", 44),
        kind("ERROR write wal: no space left on device", 1, "surging"),
        kind("ERROR OOMKilled: container exceeded its limit", 2),
    ),
)  # fmt: skip
ALERTS = check(
    "E2", "active_alerts", "stock: PoolNearlyFull", "10:01 stock: PoolNearlyFull connection pool of stock is at 100%"
)
FAILED = check("E3", "current_values", "Could not check (current_values): Prometheus at 10.0.0.1 cannot be reached", ok=False)
CERTIFICATE = Hypothesis(
    cause="A certificate that payments relies on is no longer valid", service="payments", lead_status="one of several",
    claims=[Claim(text="it expired", evidence=["E1"])],
)  # fmt: skip
CONFIRMED = TimelineEntry(id="T9", at=NOW, kind="incident", text="bob confirmed the cause: the kafka broker is gone", who="bob")


def read_aloud(question: str, **values: Any) -> str:
    facts = AnswerFacts(ledger=[LOGS, ALERTS, FAILED], tools=INFOS, services=("payments", "stock"), group="AL-1", **values)
    content = AnswerContent(ref="AL-1", question=question, requester="bob", answer=answer(question, facts), evidence={})
    return render(content, ViewContext())[0]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("is it the acquirer?", "Not measured; the logs say: 44 times, new: ERROR call to acquirer failed"),
        ("is it the disk?", "Not measured; the logs say: once, surging: ERROR write wal: no space left on device"),
        ("is it a memory leak?", "Not measured; the logs say: 2 times, new: ERROR OOMKilled"),
        ("is the connection pool full?", "The alert says so: 10:01 stock: PoolNearlyFull connection pool of stock is at 100%"),
        ("is Prometheus down?", "failed: Prometheus at 10.0.0.1 cannot be reached"),
        ("is it kafka?", "Not measured; bob confirmed the cause: the kafka broker is gone"),
        ("is it the certificate?", "Possibly: cause 2 names it: A certificate that payments relies on is no longer valid"),
        ("is it the moon?", "Unknown. The evidence says nothing about that"),
    ],
)
def test_the_first_sentence_tells_what_of_the_record_names_the_thing(question: str, first: str) -> None:
    other = Hypothesis(cause="stock itself fails", service="stock", lead_status="one of several")

    assert first in read_aloud(question, findings=Findings(hypotheses=[other, CERTIFICATE]), timeline=[CONFIRMED])


def test_a_likely_cause_that_names_the_thing_is_a_yes() -> None:
    likely = CERTIFICATE.model_copy(update={"confidence": "likely", "lead_status": ""})

    assert "Yes. Likely cause: A certificate" in read_aloud("is it the certificate?", findings=Findings(hypotheses=[likely]))


def test_a_log_line_that_names_the_thing_stands_beside_the_likely_cause() -> None:
    likely = Hypothesis(cause="deploy 2.0 broke stock", service="stock", kind="change", confidence="likely")
    first = read_aloud("is it the disk?", findings=Findings(hypotheses=[likely]))

    assert "the logs say" in first and "the likely cause is another: deploy 2.0 broke stock" in first


def test_that_the_evidence_says_nothing_is_not_told_above_lines_about_it() -> None:
    lines = check("E4", "service_health", "the acme gateway is written about here")

    facts = AnswerFacts(ledger=[lines], tools=INFOS, services=("payments",), group="AL-1")
    read = answer("is it the acme thing?", facts)

    assert read.findings and read.short is not None and "says nothing" not in read.short.text
