"""Keeps a request within the model's context: details of the oldest results go first, ids and summaries stay."""

from collections.abc import Mapping, Sequence

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AnyMessage, ToolMessage

from bot.llm.calling import Handler, Request, Response
from bot.llm.request_size import rules_and_tools, size
from bot.llm.results import cut_as_sent, sent_bytes, shortened, unshown
from bot.llm.spending import Spending

BYTES_PER_TOKEN = 3
"""Fewer than any tokenizer takes for JSON of identifiers and numbers, so that the limit holds for all of them."""
ANSWER_TOKENS = 4_000
"""Left for what the model writes."""
SLACK = 0.25
"""So much more room is made than is needed: each shortening changes the beginning that the provider has cached."""
MARGIN_BYTES = 4_000
"""For what is added later: hints of people, the answer's own schema, pseudonyms that are longer than names."""
MIN_TEXT_BYTES = 400
"""What is left of a text that is cut: an id and the beginning of its summary."""


def most_bytes(context_tokens: int) -> int:
    """The bytes of one request as sent for a context of so many tokens."""
    return max(0, context_tokens - ANSWER_TOKENS) * BYTES_PER_TOKEN


class Shorten(AgentMiddleware):
    """Changes the request only: the state keeps the whole, and the evidence is in the ledger. One object a run.

    What was shortened once stays so in each later request, however much room there is: the provider's cache holds it.
    """

    def __init__(self, spending: Spending) -> None:
        super().__init__()
        self.spending = spending
        self._most = most_bytes(spending.budget.context_tokens)
        self._shortened: dict[int, str] = {}
        self._fixed = self._sent = 0

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        self._fixed = self._fixed or rules_and_tools(request)
        if self.spending.request_too_long:
            # The model's window is smaller than the settings say: half of what it refused may fit.
            self._most = min(self._most, self._sent) // 2
        free_bytes = self._most - MARGIN_BYTES - self._fixed
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


def within(messages: Sequence[AnyMessage], most: int, before: Mapping[int, str] = {}) -> dict[int, str]:
    """The results that are sent without their details, by index: those of `before`, and as many old ones as it takes.

    The newest turn's stay, unless they are too much by themselves: then the last ones of them are shown with their summaries.
    """
    texts = dict(before)
    excess = sum(map(size, replaced(messages, texts))) - most
    if excess <= 0:
        return texts
    newest = max((index for index, message in enumerate(messages) if message.type == "ai"), default=len(messages))
    old = [(index, shortened, -SLACK * most) for index in range(newest)]
    new = [(index, unshown, 0.0) for index in reversed(range(newest, len(messages)))]
    for index, shorten, until in (*old, *new):
        message = messages[index]
        if excess > until and isinstance(message, ToolMessage) and index not in texts:
            texts[index] = shorten(str(message.content))
            excess -= sent_bytes(message.content) - sent_bytes(texts[index])
    return texts


def replaced(messages: Sequence[AnyMessage], texts: Mapping[int, str]) -> list[AnyMessage]:
    """The messages with these texts in the place of their own."""
    return [
        message.model_copy(update={"content": texts[index]}) if index in texts else message
        for index, message in enumerate(messages)
    ]


def clamped(messages: list[AnyMessage], most: int) -> list[AnyMessage]:
    """The messages with their longest texts cut where even the summaries are too much; parts that a provider sealed stay."""
    clamped_messages, excess = list(messages), sum(map(size, messages)) - most
    for index in sorted(range(len(messages)), key=lambda index: -size(messages[index])):
        message = messages[index]
        if excess > 0 and isinstance(message.content, str):
            text = cut_as_sent(message.content, max(MIN_TEXT_BYTES, sent_bytes(message.content) - excess))
            excess -= sent_bytes(message.content) - sent_bytes(text)
            clamped_messages[index] = message.model_copy(update={"content": text})
    return clamped_messages
