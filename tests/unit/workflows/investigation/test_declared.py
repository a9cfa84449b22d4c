"""A declared incident is investigated like an alert: from its text, without any."""

from pathlib import Path
from typing import Any

from bot.core.alert import Severity
from bot.core.approvals.remedies import Fitted, NoProposal
from bot.core.messages.alerts import CardContent
from bot.core.messages.investigation import TriageContent
from bot.engine.direct import DirectRun
from bot.store.incidents import incidents
from bot.store.slack import message_contents
from bot.store.slack.investigation_contents import triage_content
from bot.store.triage.triage import Triages
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.fact_collection import FactCollector
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps, triage
from tests.unit.approvals_fixture import open_approvals
from tests.unit.builders import NOW, change
from tests.unit.tools.tool_fixture import CATALOGUE, ERRORS, NO_KUBERNETES, TOOLS, Changes, Step, context


class Nobody:
    """Proposes nothing."""

    async def propose_fitting(self, *_: Any) -> Fitted:
        return Fitted(none=NoProposal("nothing fits"))


async def nobody() -> None:
    return None


async def investigated(tmp_path: Path, title: str, errors: float = 0.3) -> tuple[TriageContent, CardContent]:
    """What is shown of an incident of checkout that somebody declares, whose errors rose a minute after a deploy at 02:56."""
    fixture = await open_approvals(tmp_path)
    triages = Triages(fixture.db)
    metrics = {ERRORS: Step(0.001, errors), **NO_KUBERNETES}
    ledger = ToolRunner(
        triages,
        TOOLS,
        lambda case: context(metrics, case=case.model_dump(mode="json"), changes=Changes([change("1.4", minutes_before=4)])),
    )
    facts = FactCollector(ledger, triages, CATALOGUE, None, lambda _graph: b"")
    run = triage(TriageSteps(triages, facts, Nobody(), fixture.config), Analyst(ledger.for_case, ledger.infos), nobody)
    declared = await incidents.declare(
        fixture.db, title=title, severity=Severity.SEV4, service="checkout", channel="C1", by="alice"
    )

    await run(DirectRun("t", clock=lambda: NOW), declared.group, 1, "", "alice")

    async with fixture.db.read() as session:
        content = await triage_content(session, declared.group)
        card = await message_contents.load(session, "card", declared.group)
    await fixture.close()
    assert content is not None and content.facts is not None and content.findings is not None
    assert isinstance(card, CardContent)
    return content, card


async def test_a_text_leads_to_facts_and_ranked_causes_without_any_alert(tmp_path: Path) -> None:
    content, card = await investigated(tmp_path, "Errors on checkout since 02:58")

    assert content.facts is not None
    assert content.facts.onset_text == "checkout left the normal range at 02:57:00 UTC: errors 0.1 % → 30 %"
    assert (content.state, content.hypotheses[0].service) == ("done", "checkout")
    assert card.last_change is not None
    assert card.last_change.age_text == "2 min before the reported start", "no alert came"


async def test_where_no_metric_shows_an_onset_changes_are_as_old_as_the_reported_start_has_them(tmp_path: Path) -> None:
    content, _ = await investigated(tmp_path, "Checkout looks odd since 02:58", errors=0.001)

    assert content.facts is not None and content.facts.onset is None
    assert [change.age_text for change in content.facts.changes] == ["2 min before the reported start"]


async def test_what_began_well_after_the_reported_start_is_shown_and_never_likely(tmp_path: Path) -> None:
    content, _ = await investigated(tmp_path, "Customers are charged twice since 02:10")

    first = content.hypotheses[0]
    assert content.facts is not None
    assert content.facts.onset_text == "checkout left the normal range at 02:57:00 UTC: errors 0.1 % → 30 %"
    assert (first.cause, first.confidence) == ("deploy of checkout (deploy 1.4) broke checkout", "possible")
    assert [claim.text for claim in first.against] == ["It began well after the start that a person reports"]
