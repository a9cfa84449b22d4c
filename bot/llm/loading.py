"""The agent, imported in a thread after the start: langchain takes seconds to import, and may not import at all."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.core.check import Check, failed, ok
from bot.core.evidence import Case, Findings
from bot.core.questions.answering import ModelAnswer
from bot.core.text.untrusted import one_line
from bot.ports import Model, Run

Built = TypeVar("Built")
log = structlog.get_logger(__name__)


class Unavailable:
    """Stands in for an agent that could not be loaded: the workflow takes its usual steps, and the analyst's answer stands."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why

    async def investigate(self, run: Run, case: Case) -> Findings:
        """No hypothesis, and why."""
        return Findings(by="agent", model=self.name, stop_reason=self.why)

    async def read(self, run: Run, question: int) -> ModelAnswer:
        """No claim, and why."""
        return ModelAnswer(model=self.name, stop_reason=self.why)


class Agents:
    """`get()` for each triage; `name` is the model's ("" when none is set up), `build` imports and makes the agent."""

    def __init__(self, name: str, build: Callable[[], Model], prepare: Callable[[], Awaitable[None]] | None = None) -> None:
        """`prepare`: awaited once before the agent is built; it raises nothing."""
        self.name = name
        self._prepare = prepare
        self._build = build
        self._agent: Model | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Model | None:
        """The agent, or its stand-in; None when no model is set up."""
        if not self.name:
            return None
        async with self._lock:
            if self._agent is None:
                if self._prepare is not None:
                    await self._prepare()
                self._agent = await asyncio.to_thread(self._loaded)
        return self._agent

    def renew(self) -> None:
        """Build the agent anew at the next use: what it was built from has changed."""
        self._agent = None

    async def healthy(self) -> bool:
        """Whether it has not failed to load; it may not be loaded yet."""
        return not isinstance(self._agent, Unavailable)

    def _loaded(self) -> Model:
        agent, error = _try_build(self._build)
        if error is not None:
            # Triages must go on. The stand-in is stored, so that this is logged once.
            log.error("the model cannot be used", model=self.name, error_id=secrets.token_hex(4), exc_info=error)
        return agent or Unavailable(self.name, f"its code did not load: {_describe(error)}")


def check_loading(build: Callable[[], object]) -> Check:
    """Whether the agent's code can be imported here. Takes seconds."""
    _, error = _try_build(build)
    if error is None:
        return ok("Model code", "loads")
    advice = "install the dependencies of this version again (`make install`); until then the built-in analyst ranks"
    return failed("Model code", _describe(error), advice)


def _try_build(build: Callable[[], Built]) -> tuple[Built | None, Exception | None]:
    """What was built, or the error."""
    try:
        return build(), None
    except Exception as error:  # noqa: BLE001 - an installation that does not fit may raise anything
        return None, error


def _describe(error: Exception | None) -> str:
    return one_line(f"{type(error).__name__}: {error}", 160)
