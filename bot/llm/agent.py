"""The investigator with a model: `create_agent` with our tools, one middleware per worry, a structured result."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from jinja2 import Template
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.language_models import BaseChatModel
from langgraph.errors import GraphRecursionError
from pydantic import BaseModel, ConfigDict, Field

from bot.core.config.budget import CONTEXT_TOKENS, Budget
from bot.core.errors import ConfigurationError
from bot.core.evidence import Case, Claim, Findings, Hypothesis, stored_findings, without_repeated
from bot.core.investigation.briefing import evidence_lines
from bot.core.investigation.first_plan import first_plan
from bot.core.questions.answering import ModelAnswer
from bot.core.redaction.inventory import names_in
from bot.core.redaction.prompt_leak import PromptLeak
from bot.core.redaction.pseudonyms import Name, Pseudonyms
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.llm.calling import Caller, ModelDown
from bot.llm.langchain_adjustments import describe_schema_errors, keep_hooks_in_the_loop
from bot.llm.middleware.call_guard import CallGuard
from bot.llm.middleware.durable import Durable, RunTool, ShownEvidence, unknown_tool
from bot.llm.middleware.limits import Limits
from bot.llm.middleware.names import Names
from bot.llm.middleware.nudge import Nudge
from bot.llm.middleware.plan import LONG_RUN, PLAN, KeepPlan, Plan, plan_tool
from bot.llm.middleware.reread import ReadEvidence, Reread, read_tool
from bot.llm.middleware.secrets import Secrets
from bot.llm.middleware.shorten import Shorten
from bot.llm.name_lists import list_names
from bot.llm.providers.clients import chat_model
from bot.llm.providers.failures import model_name
from bot.llm.providers.windows import configured_window, window_of
from bot.llm.question import EvidenceReader
from bot.llm.request_size import most_evidence
from bot.llm.results import READ
from bot.llm.settings import ModelSettings
from bot.llm.skeptic import Skeptic
from bot.llm.spending import Spending
from bot.llm.tool_schemas import arguments_of, as_langchain_tool, compact
from bot.plugins.arguments import Names as NameKinds
from bot.ports import Run
from bot.store.answers.questions import Questions
from bot.store.triage.triage import Triages
from bot.workflows.investigation.tool_running import ToolRunner
from prompts import prompt, prompt_of

keep_hooks_in_the_loop()
log = structlog.get_logger(__name__)


# The model sees the name as that of the tool it answers with, and journals hold it: renamed, a run that was interrupted before
# an upgrade would not understand its recorded answer.
class Answer(BaseModel):
    """The ranked root causes, with the evidence for and against each."""

    model_config = ConfigDict(extra="forbid")

    hypotheses: list[Hypothesis] = Field(max_length=3)
    ruled_out: list[Claim] = Field(default_factory=list, max_length=6)
    not_checked: list[str] = Field(default_factory=list, max_length=10)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:  # Any: as in pydantic
        """As a model gets it."""
        return compact(super().model_json_schema(*args, **kwargs))


MAX_FIRED_BEFORE = 20
"""Times of earlier outages that are shown, the newest; what they leave out of each reading is not bound by it."""


class Agent:
    """Investigates with a model. Never raises for a failing model: `stop_reason` says what happened."""

    def __init__(
        self,
        settings: ModelSettings,
        budget: Budget,
        tool_runner: ToolRunner,
        triages: Triages,
        questions: Questions,
        services: Sequence[str] = (),
        inventory: Sequence[Name] = (),
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        signals: Sequence[str] = (),
    ) -> None:
        """`inventory`: names that are masked too, besides those of `services`, cases and evidence. `signals`: their names."""
        self.wait = wait
        self.settings = settings
        self.budget = budget
        self.tool_runner = tool_runner
        self.triages = triages
        self.questions = questions
        self.services = services
        self.inventory = [*(Name("service", service) for service in services), *inventory]
        self.keeps_plan = budget.per_run_steps >= LONG_RUN
        names = {} if settings.masked else {NameKinds.SERVICES: services, NameKinds.SIGNALS: signals}
        listing = list_names(tool_runner.tools, names)
        self.services_tool = listing.first(NameKinds.SERVICES)
        self.schemas = {name: arguments_of(tool, listing.of(name)) for name, tool in tool_runner.tools.items()}
        self.tools = [
            *(as_langchain_tool(tool, self.schemas[name]) for name, tool in tool_runner.tools.items()),
            read_tool(),
            *([plan_tool()] if self.keeps_plan else []),
        ]
        self.chats: dict[str, BaseChatModel] = {}
        # What is missing for it shows where the agent is loaded, and the analyst's answer stands.
        self._model(settings.name)
        # Without the services: their names in a row are no secret, and findings name them.
        rules = prompt("triage").render(steps="", calls="", seconds="", services=[], services_tool="")
        self.prompt_leak = PromptLeak(
            [rules, prompt("names").render(), *(tool.description for tool in tool_runner.tools.values())]
        )

    async def investigate(self, run: Run, case: Case) -> Findings:
        """Run the agent in the body of the workflow: each of its calls is a step of the workflow."""
        spending = Spending(self.budget, model=self.settings.name)
        opening = await run.step("brief the agent", self._brief, case)
        durable = self._durable(run, case, spending, self.settings.fallback)
        findings = await self._run_graph(self._graph(run, case, spending, durable), opening, spending)
        if findings.hypotheses and (skeptic := self._other_model(self.settings.skeptic)):
            findings = await Skeptic(skeptic, self.triages, most_evidence(self._window(self.settings.skeptic))).review(
                findings, run, case, spending, [self._durable(run, case, spending, name="skeptic"), *self._names(case)]
            )
        elif findings.hypotheses and self.settings.skeptic:
            findings = findings.model_copy(
                update={"note": f"No second model reviewed this: {self.settings.skeptic} is not usable."}
            )
        hints = await run.step("read the last hints", self.triages.hints, case.group, case.attempt)
        if late := hints[durable.hints_shown :]:
            note = f"Said too late for this attempt: {one_line('; '.join(late), 200)}. Investigate again to have it checked."
            findings = findings.model_copy(update={"note": f"{findings.note} {note}".strip()})
        return findings

    async def read(self, run: Run, question: int) -> ModelAnswer:
        """Answer a question from the recorded evidence, in the workflow's body."""
        hidden = self.inventory if self.settings.masked else None
        caller = self._caller(self.settings.fallback)
        model, most = self._model(self.settings.name), most_evidence(self._window(self.settings.name))
        reader = EvidenceReader(model, caller, self.budget, self.questions, hidden, most)
        return await reader.read(run, question, self.settings.name)

    # Any: langgraph's type of a graph has four parameters that create_agent leaves open.
    async def _run_graph(self, graph: Any, opening: str, spending: Spending) -> Findings:
        try:
            # Two nodes a turn, and some for the ends of the loop; the limit that counts is that of the budget.
            limit = {"recursion_limit": 4 * self.budget.per_run_steps + 10}
            result = await graph.ainvoke({"messages": [{"role": "user", "content": opening}]}, limit)
        except ModelDown as down:
            return _findings(None, spending, str(down))
        except GraphRecursionError:
            return _findings(None, spending, "the model repeated itself without an answer")
        findings = _findings(result.get("structured_response"), spending, "answered", self.prompt_leak)
        if spending.interruption and findings.hypotheses:
            return findings.noted(f"One request failed ({spending.interruption}): answered from what was gathered before.")
        return findings

    async def _brief(self, case: Case) -> str:
        """The opening message: the moment, the case and the evidence so far, as data."""
        now = self.triages.db.clock()
        entries, row = await self.triages.ledger.entries(case.group), await self.triages.row(case.group, case.attempt)
        if row is not None:
            ranked = stored_findings(row.findings)
            entries = without_repeated(entries, ranked.cited if ranked else (), since=row.started_at)
        plan = first_plan(case, entries, self.tool_runner.infos)
        shown = _stated(case.model_dump(mode="json", exclude={"group", "attempt", "question", "requester", "graded_leads"}))
        names = {case.service, case.alert_name}
        fired = sorted((one for one in case.firing_before if one.same_readers), key=lambda interval: interval.ended_at)
        intervals = (one.model_dump(mode="json", exclude={"same_readers"}) for one in fired[-MAX_FIRED_BEFORE:])
        shown["firing_before"] = [_stated(interval) for interval in intervals]
        shown["labels"] = {name: value for name, value in case.labels.items() if value not in names}
        return prompt("case").render(
            now=iso_utc(now),
            end=iso_utc(now + timedelta(seconds=self.budget.per_run_seconds)),
            case=json.dumps(_stated(shown), ensure_ascii=False),
            question=json.dumps(case.question, ensure_ascii=False) if case.question else "",
            analyst=json.dumps(_summaries(row.findings if row else {}), ensure_ascii=False),
            plan="\n".join(f"{tool} {json.dumps(arguments, ensure_ascii=False)}" for tool, arguments in plan),
            evidence=evidence_lines(entries, self.tool_runner.infos),
        )

    def _durable(self, run: Run, case: Case, spending: Spending, fallback: str = "", name: str = "model") -> Durable:
        read_updates = partial(self.triages.input_since_start, case.group, case.attempt)
        caller = self._caller(fallback)
        # The skeptic has no tools, but text in the evidence may make it call one.
        run_tool = self._run_tool(case) if name == "model" else unknown_tool
        return Durable(run, run_tool, caller, spending, read_updates, name=name)

    def _caller(self, fallback: str = "") -> Caller:
        other = self._other_model(fallback)
        return Caller(
            self.budget,
            other,
            window=lambda model: self._window(model_name(model)),
            takes_named_tool=self._takes_named_tool,
            wait=self.wait,
        )

    def _takes_named_tool(self, model: BaseChatModel) -> bool:
        return any(chat is model and self.settings.takes_named_tool(name) for name, chat in self.chats.items())

    def _names(self, case: Case) -> list[Names]:
        """The middleware that stands next to the model, if names are masked."""

        async def pseudonyms() -> Pseudonyms:
            entries = await self.triages.ledger.entries(case.group)
            hints = await self.triages.hints(case.group, case.attempt)
            return Pseudonyms([*self.inventory, *names_in(case, entries, hints)])

        return [Names(pseudonyms)] if self.settings.masked else []

    def _graph(self, run: Run, case: Case, spending: Spending, durable: Durable) -> Any:  # Any: as in _run_graph
        schemas: dict[str, type[BaseModel]] = {**self.schemas, READ: ReadEvidence}
        if self.keeps_plan:
            schemas[PLAN] = Plan
        reread = Reread(run, partial(self.triages.ledger.entries, case.group))
        strategy = (
            ProviderStrategy(Answer)
            if self.settings.structured == "schema"
            else ToolStrategy(Answer, tool_message_content="Taken.", handle_errors=describe_schema_errors)
        )
        return create_agent(
            self._model(self.settings.name),
            self.tools,
            system_prompt=self._instructions().render(
                **self._limits(), services=list(self.services), services_tool=self.services_tool
            ),
            middleware=[
                Nudge(spending, Answer.__name__),
                Limits(spending, Answer.__name__),
                Shorten(spending, self._window),
                Secrets(),
                CallGuard(schemas, spending),
                KeepPlan(),
                reread,
                durable,
                *self._names(case),
            ],
            response_format=strategy,
        )

    def _limits(self) -> dict[str, str]:
        """What the model is told of its budget."""
        budget = self.budget
        return {
            "steps": str(budget.per_run_steps),
            "calls": str(budget.per_run_calls),
            "seconds": f"{budget.per_run_seconds:g}",
        }

    def _instructions(self) -> Template:
        return prompt_of(self.settings.prompt) if self.settings.prompt else prompt("triage")

    def _model(self, name: str) -> BaseChatModel:
        if name not in self.chats:
            window = configured_window(name, self.budget) or CONTEXT_TOKENS
            self.chats[name] = chat_model(self.settings, name, seconds=self.budget.per_call_seconds, context_tokens=window)
        return self.chats[name]

    def _window(self, name: str) -> int:
        """The tokens that a model takes in, by its name in the settings or the one that it answers by."""
        chats = ((full, chat) for full, chat in self.chats.items() if name in (full, model_name(chat)))
        full, chat = next(chats, (self.settings.name, self._model(self.settings.name)))
        return window_of(chat, full, self.settings, self.budget)

    def _other_model(self, name: str) -> BaseChatModel | None:
        """The fallback model or the skeptic. One that cannot be used costs the first one's work nothing."""
        try:
            return self._model(name) if name else None
        except ConfigurationError as error:
            log.error("the model cannot be used", model=name, setting=error.key, why=error.problem)
            return None

    def _run_tool(self, case: Case) -> RunTool:
        async def run_tool(tool: str, arguments: dict[str, object], call: str) -> ShownEvidence:
            entry = await self.tool_runner.call(case, tool, arguments, f"agent:{case.attempt}:{call}", shown=True, reuse=True)
            return ShownEvidence(id=entry.id, evidence=entry.evidence)

        return run_tool


def _stated(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in ("", None, False, [], {})}


def _summaries(findings: Mapping[str, object]) -> list[dict[str, object]]:
    """The analyst's causes. Their claims repeat the evidence that stands below, so only its ids are listed."""
    hypotheses = findings.get("hypotheses")
    return [_summary(hypothesis) for hypothesis in (hypotheses if isinstance(hypotheses, list) else [])]


def _summary(hypothesis: Mapping[str, Any]) -> dict[str, object]:  # Any: the JSON of a model's answer
    shown = ("cause", "service", "kind", "change_id", "confidence")
    cited = [id for claim in hypothesis.get("claims") or () for id in claim.get("evidence") or ()]
    return _stated({**{key: hypothesis.get(key) for key in shown}, "evidence": list(dict.fromkeys(cited))})


def _findings(answer: object, spending: Spending, reason: str, prompt_leak: PromptLeak | None = None) -> Findings:
    parsed = Answer.model_validate(answer) if isinstance(answer, dict) else answer if isinstance(answer, Answer) else None
    if parsed is not None and prompt_leak is not None:
        parsed = Answer.model_validate(prompt_leak.without_all(parsed.model_dump(mode="json")))
    return Findings(
        # Who named a cause is for code to say.
        hypotheses=[hypothesis.model_copy(update={"named_by": ""}) for hypothesis in parsed.hypotheses] if parsed else [],
        ruled_out=parsed.ruled_out if parsed else [],
        not_checked=parsed.not_checked if parsed else [],
        by="agent",
        model=spending.model,
        stop_reason=reason if parsed or reason != "answered" else "the model gave no structured answer",
        steps=spending.steps,
        seconds=round(spending.seconds, 2),
        tokens=spending.tokens,
        usd=round(spending.usd, 4),
    )
