"""The first request to a model, with all tools: how long it is over every fault of the sandbox, and what it holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.adapters import agent_of
from bot.core.config import Config
from bot.core.history.frozen_cases import FrozenCase
from bot.core.history.past_incidents import ConfirmedCause
from bot.engine.direct import DirectRun
from bot.llm.settings import ModelSettings
from bot.store.answers.questions import Questions
from bot.store.triage.replays import ReplayDatabase
from bot.workflows.investigation.tool_running import ToolRunner
from tests.answers.recorded import investigated
from tests.contracts.agent_fixture import ANSWER, serving
from tests.real.scripted_model import Script
from tests.unit.tools.tool_fixture import TOOLS, context

MAX_BYTES = 28_000
"""As compact JSON: below 6,000 tokens of o200k, at 4.8 bytes each, with the tools as OpenAI renders them for its models."""

PARTS = ("api", "worker", "gateway", "db", "cache", "cron")
SERVICES = [f"{team}-{part}" for team in ("billing", "fraud", "identity", "loyalty", "media", "support") for part in PARTS]
"""Of a larger catalogue: names of usual length, with the shop's about fifty."""

Requests = dict[str, dict[str, Any]]


def size(request: Mapping[str, Any]) -> int:
    return len(json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode())


def weight(request: Mapping[str, Any]) -> int:
    """Bytes, where a listed name counts twice: it takes twice the tokens that it takes in a sentence."""
    return size(request) + sum(len(json.dumps(names, separators=(",", ":"))) for names in listings(request))


def listings(request: Mapping[str, Any]) -> list[list[str]]:
    """What the tools' arguments list of services."""
    arguments = (tool["function"]["parameters"]["properties"].get("service", {}) for tool in request["tools"])
    return [argument["enum"] for argument in arguments if "enum" in argument]


async def first_requests(folder: Path, more_services: Sequence[str] = ()) -> Requests:
    """The request of each recorded investigation, by its name; `more_services` stand in the catalogue beside the shop's."""
    cases = investigated()
    script = Script([ANSWER] * len(cases))
    services = sorted({*more_services, *(service for case in cases.values() for service in case.services)})
    async with ReplayDatabase(folder) as stage, serving(script) as url:
        agent: Any = None
        for case in cases.values():
            confirmed = ConfirmedCause(text="", confirmed_by="", at=case.now)
            frozen = FrozenCase(
                ref="AL-1", case=case.case, entries=(), findings=case.findings, confirmed=confirmed, at=case.now
            )
            triages, question = await stage.set(frozen)
            for number, entry in enumerate(case.ledger):
                await triages.ledger.record(question.group, entry.tool, entry.arguments, str(number), entry.evidence)
            await triages.update(question.group, 1, findings=case.findings.model_dump(mode="json"))
            if agent is None:
                runner = ToolRunner(triages, TOOLS, lambda _case: context({}))
                settings = ModelSettings(name="scripted", base_url=url)
                agent = agent_of(settings, Config(), runner, triages, Questions(triages.db, services, runner.infos), services)
            await agent.investigate(DirectRun(question.group, clock=triages.db.clock), question)
    return dict(zip(cases, script.requests, strict=True))


async def test_over_every_fault_the_first_request_stays_within_six_thousand_tokens_and_holds_every_summary(
    tmp_path: Path,
) -> None:
    requests = await first_requests(tmp_path)

    sizes = {name: weight(request) for name, request in requests.items()}
    assert len(sizes) >= 18 and all(len(request["tools"]) > len(TOOLS) for request in requests.values())
    assert {name: size for name, size in sizes.items() if size > MAX_BYTES} == {}
    for name, request in requests.items():
        case, text = investigated()[name], request["messages"][1]["content"]
        assert all(hypothesis.change_id in text for hypothesis in case.findings.hypotheses)
        assert all(json.dumps(entry.evidence.summary, ensure_ascii=False) in text for entry in case.ledger)


async def test_a_catalogue_of_fifty_services_is_listed_once_within_the_same_bound(tmp_path: Path) -> None:
    requests = await first_requests(tmp_path, SERVICES)

    for request in requests.values():
        (services,) = listings(request)
        assert len(services) > 45 and {*SERVICES} < {*services}
        assert SERVICES[0] not in request["messages"][0]["content"]
    assert {name: weight(request) for name, request in requests.items() if weight(request) > MAX_BYTES} == {}
