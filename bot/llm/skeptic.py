"""A second model that tries to refute the first one's answer from the recorded evidence. It runs no queries."""

import json
from collections.abc import Sequence, Set

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import BaseChatModel
from langgraph.errors import GraphRecursionError
from pydantic import BaseModel, ConfigDict, Field

from bot.core.evidence import Case, Claim, Findings, LedgerEntry, without_repeated
from bot.core.verdict.review import Refutation, apply_refutations
from bot.llm.calling import ModelDown
from bot.llm.langchain_adjustments import describe_schema_errors
from bot.llm.middleware.limits import Limits
from bot.llm.middleware.nudge import Nudge
from bot.llm.middleware.secrets import Secrets
from bot.llm.request_size import MAX_EVIDENCE
from bot.llm.results import as_data, sent_bytes, summary_of
from bot.llm.spending import Spending
from bot.ports import Run
from bot.store.triage.triage import Triages
from prompts import prompt


class Objection(BaseModel):
    """One objection to one hypothesis."""

    model_config = ConfigDict(extra="forbid")

    hypothesis: int = Field(ge=1, le=5, description="Its place in the answer, from 1")
    refutes: bool = Field(description="True if it cannot be the cause; false if this only weakens it")
    claim: Claim


class Objections(BaseModel):
    """What speaks against the answer; empty if nothing does."""

    model_config = ConfigDict(extra="forbid")

    objections: list[Objection] = Field(max_length=6)


class Skeptic:
    """One model call per answer. When it fails the answer stands, and a note says that no second model reviewed it."""

    def __init__(self, model: BaseChatModel, triages: Triages, max_evidence: int = MAX_EVIDENCE) -> None:
        """`max_evidence`: bytes of it in the one request, as sent."""
        self.model = model
        self.triages = triages
        self.max_evidence = max_evidence

    async def review(
        self, findings: Findings, run: Run, case: Case, spending: Spending, calling: Sequence[AgentMiddleware]
    ) -> Findings:
        """The findings with the objections that the evidence supports, and what the call cost. `calling` records the call."""
        opening = await run.step("brief the skeptic", self._brief, case.group, findings)
        graph = create_agent(
            self.model,
            [],
            system_prompt=prompt("skeptic").render(),
            middleware=[Nudge(spending, Objections.__name__), Secrets(), Limits(spending), *calling],
            response_format=ToolStrategy(Objections, handle_errors=describe_schema_errors),
        )
        try:
            result = await graph.ainvoke({"messages": [{"role": "user", "content": opening}]}, {"recursion_limit": 10})
        except (ModelDown, GraphRecursionError) as down:
            return _with_costs(findings, spending).model_copy(update={"note": f"No second model reviewed this: {down}."})
        reviewed = await run.step("weigh the doubts", self._apply, case.group, _objections(result), findings)
        return _with_costs(reviewed, spending)

    async def _brief(self, group: str, findings: Findings) -> str:
        shown = ("cause", "service", "kind", "confidence", "claims", "against")
        answer = [hypothesis.model_dump(mode="json", include=set(shown)) for hypothesis in findings.hypotheses]
        entries, row = await self.triages.ledger.entries(group), await self.triages.row(group)
        cited = {id for h in findings.hypotheses for claim in (*h.claims, *h.against) for id in claim.evidence}
        entries = without_repeated(entries, cited, since=row.started_at) if row else entries
        evidence = "\n".join(within(entries, cited, self.max_evidence))
        return prompt("skeptic_case").render(answer=json.dumps(answer, ensure_ascii=False), evidence=evidence)

    async def _apply(self, group: str, objections: Sequence[Objection], findings: Findings) -> Findings:
        refutations = [Refutation(objection.hypothesis - 1, objection.refutes, objection.claim) for objection in objections]
        return apply_refutations(findings, refutations, await self.triages.ledger.entries(group))


def within(entries: Sequence[LedgerEntry], cited: Set[str], most: int) -> list[str]:
    """The findings as data, what the answer cites first and the newest before the oldest, in at most so many bytes as sent.

    Details of what does not fit any more are left out, then whole findings: never a part of one.
    """
    chosen, left, newest_first = [], most, list(reversed(entries))
    for entry in sorted(newest_first, key=lambda entry: entry.id not in cited):
        whole = as_data(entry.id, entry.evidence)
        text = next((text for text in (whole, summary_of(whole)) if sent_bytes(text) < left), "")
        if text:
            chosen.append(text)
            left -= sent_bytes(text) + 1
    return chosen


def _objections(result: dict[str, object]) -> list[Objection]:
    answer = result.get("structured_response")
    return answer.objections if isinstance(answer, Objections) else []


def _with_costs(findings: Findings, spending: Spending) -> Findings:
    update = {"steps": spending.steps, "tokens": spending.tokens, "usd": round(spending.usd, 4)}
    return findings.model_copy(update={**update, "seconds": round(spending.seconds, 2)})
