"""Ends a run at its budget: the last allowed turn must be the answer, beyond it nothing is called."""

import structlog
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import HumanMessage

from bot.llm.calling import Handler, ModelDown, Request, Response
from bot.llm.spending import Recovery, Spending
from prompts import prompt

log = structlog.get_logger(__name__)


class Limits(AgentMiddleware):
    """Requests the answer alone when a limit is near or a call failed midway; raises `ModelDown` when even that is spent.

    Stands outermost: the request for the answer passes through all other layers like any other.
    """

    def __init__(self, spending: Spending, answer: str = "") -> None:
        """`answer`: the tool that the model answers with; "" where it has no others that could be held back."""
        super().__init__()
        self.spending = spending
        self.answer = answer

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        if reached := self.spending.used_up:
            raise ModelDown(reached)
        if not self.answer:
            return await handler(request)
        if near := self.spending.limit_near:
            return await handler(self._last(request, f"the limit of {near} is near"))
        try:
            return await handler(request)
        except ModelDown as down:
            if not self._recoverable(down):
                raise
            log.warning("the answer alone is requested", why=str(down))
            self.spending.interruption = str(down)
            return await handler(self._last(request, "the last request failed", short=down.recovery is Recovery.SHORTER))

    def _recoverable(self, down: ModelDown) -> bool:
        """Whether there is something to answer with, and something left to pay for it."""
        gathered = self.spending.calls > 0 or down.recovery is Recovery.SHORTER
        return bool(down.recovery) and gathered and not self.spending.used_up

    def _last(self, request: Request, why: str, *, short: bool = False) -> Request:
        """The request for the answer; without the tools' descriptions where it was too long for the model."""
        text = prompt("last_turn").render(why=why, answer=self.answer)
        messages = [*request.messages, HumanMessage(text)]
        if short:
            self.spending.request_too_long = self.spending.context_full = True
            return request.override(messages=messages, tools=[])
        return request.override(messages=messages, tool_choice=self.answer)
