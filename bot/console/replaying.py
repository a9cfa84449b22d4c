"""`tocsin replay`: frozen cases investigated again, side by side; the model is the only outside system."""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.adapters import agent_of, settings_of
from bot.console.incident_listing import open_database
from bot.core.config import Config
from bot.core.errors import NotFound
from bot.core.evidence import Findings
from bot.core.history.frozen_cases import FrozenCase, grade, scorecard, scorecard_text
from bot.core.text.untrusted import one_line
from bot.engine.direct import DirectRun
from bot.plugins import Tool, discover
from bot.ports import Run
from bot.settings import Secrets, load_config
from bot.store.db.database import readable
from bot.store.triage.frozen_cases import Cases
from bot.store.triage.replays import ReplayDatabase
from bot.workflows.investigation.replaying import Replay

THEN, ANALYST = "as answered then", "analyst"


@dataclass(frozen=True)
class ReplayOptions:
    """Which case ("" = all), which model ("" = none), and which prompt instead of the built-in one (None)."""

    ref: str = ""
    model: str = ""
    prompt: Path | None = None


Answers = dict[str, Findings]
"""Investigator to its answer."""


def replay(secrets: Secrets, options: ReplayOptions, console: Console, *, result: Path | None = None) -> None:
    """Investigate again and print the answers with their marks. Raises NotFound if nothing is frozen."""
    config = load_config(secrets.config) if secrets.config.exists() else Config()
    with readable():
        answers = asyncio.run(_replayed(secrets, config, options))
    _print(answers, console)
    if result is not None:
        result.write_text(json.dumps([_row(case, of_case) for case, of_case in answers], indent=1), encoding="utf-8")


async def _replayed(secrets: Secrets, config: Config, options: ReplayOptions) -> list[tuple[FrozenCase, Answers]]:
    cases = await _cases(secrets, options.ref)
    tools = discover(["tools", *config.plugins], Tool)
    with tempfile.TemporaryDirectory() as folder:
        async with ReplayDatabase(Path(folder)) as stage:
            again = Replay(stage, tools, _run)
            return [(case, await _answers(again, case, secrets, config, options)) for case in cases]


async def _cases(secrets: Secrets, ref: str) -> list[FrozenCase]:
    db = open_database(secrets)
    try:
        cases = Cases(db)
        frozen = [case for case in [await cases.case(ref)] if case] if ref else await cases.all()
    finally:
        await db.close()
    if not frozen:
        what = f"{ref.upper()} is not frozen" if ref else "no case is frozen yet"
        raise NotFound(f"{what}: a case is a resolved incident whose cause a person confirmed (the verb cause)")
    return frozen


async def _answers(again: Replay, case: FrozenCase, secrets: Secrets, config: Config, options: ReplayOptions) -> Answers:
    answers = {THEN: case.findings, ANALYST: await again.analyst(case)}
    if options.model:
        settings = replace(settings_of(secrets, options.model), prompt=options.prompt)
        answers[options.model] = await again.agent(case, lambda *parts: agent_of(settings, config, *parts))
    return answers


def _run(id: str, moment: datetime) -> Run:
    return DirectRun(id, clock=lambda: moment)


# ---------------------------------------------------------------- printing


def _print(answers: Sequence[tuple[FrozenCase, Answers]], console: Console) -> None:
    names = list(answers[0][1])
    table = Table("Case", "Confirmed cause", *names)
    for case, of_case in answers:
        cause = one_line(case.confirmed.text, 80)
        confirmed = f"{case.confirmed.service}: {cause}" if case.confirmed.service else cause
        table.add_row(case.ref, escape(confirmed), *(escape(_cell(of_case[name], case)) for name in names))
    console.print(table)
    for name in names:
        total = scorecard(name, [(of_case[name], case.confirmed) for case, of_case in answers])
        console.print(f"{escape(name)}: {escape(scorecard_text(total))}", highlight=False, soft_wrap=True)


def _cell(findings: Findings, case: FrozenCase) -> str:
    first = findings.first_cause
    answer = (
        f"{first.confidence_text}, {one_line(first.cause, 80)}" if first else one_line(findings.stop_reason or "no cause", 80)
    )
    return f"{grade(findings, case.confirmed) or 'not marked'}: {answer}"


def _row(case: FrozenCase, answers: Answers) -> dict[str, object]:
    marks = {name: grade(findings, case.confirmed) for name, findings in answers.items()}
    texts = {name: findings.model_dump(mode="json") for name, findings in answers.items()}
    return {"case": case.ref, "truth": case.confirmed.model_dump(mode="json"), "marks": marks, "answers": texts}
