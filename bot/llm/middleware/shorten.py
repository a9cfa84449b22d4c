"""Keeps a request within the model's window: details of the oldest results go first, ids and summaries stay."""

import math
from collections.abc import Callable

from langchain.agents.middleware import AgentMiddleware

from bot.llm.calling import Handler, Request, Response
from bot.llm.request_size import MARGIN_BYTES, clamped, most_bytes, replaced, rules_and_tools, size, within
from bot.llm.spending import Spending


class Shorten(AgentMiddleware):
    """Changes the request only: the state keeps the whole, and the evidence is in the ledger. One object a run.

    What was shortened once stays so in each later request, however much room there is: the provider's cache holds it.
    """

    def __init__(self, spending: Spending, window: Callable[[str], int]) -> None:
        """`window`: the tokens that the model of a name takes in; the one that answered last is called first."""
        super().__init__()
        self.spending = spending
        self._window = window
        self._refused = math.inf
        self._shortened: dict[int, str] = {}
        self._fixed = self._sent = 0

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        self._fixed = self._fixed or rules_and_tools(request)
        most = most_bytes(self._window(self.spending.model))
        if self.spending.request_too_long:
            # The model's window is smaller than is known: half of what it refused may fit.
            self._refused = min(self._refused, most, self._sent) // 2
        free_bytes = int(min(most, self._refused)) - MARGIN_BYTES - self._fixed
        messages = replaced(request.messages, self._shortened)
        sent = sum(map(size, messages))
        if sent > free_bytes:
            self._shortened = within(request.messages, free_bytes, self._shortened)
            messages = clamped(replaced(request.messages, self._shortened), free_bytes)
            sent = sum(map(size, messages))
        self.spending.details_left_out = bool(self._shortened)
        self._sent = self._fixed + sent
        self.spending.context_full = self.spending.context_full or self._sent > free_bytes + self._fixed
        return await handler(request.override(messages=messages))
