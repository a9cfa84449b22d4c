"""DeepSeek's chat completions in thinking mode, which is on unless it is turned off."""

from collections.abc import Mapping

from starlette.requests import Request

from tests.real.providers.openai_chat import OpenReasoning, check_reasoning, reasoning
from tests.real.providers.server import Json, Turn, require


class DeepSeek(OpenReasoning):
    """`POST /chat/completions`, where a forced call is refused while the model thinks."""

    def routes(self) -> Mapping[str, bool | None]:
        return {"/chat/completions": None, "/v1/chat/completions": None}

    def published(self, body: Json) -> Json:
        return {key: value for key, value in super().published(body).items() if key != "thinking"}

    def check(self, request: Request, body: Json) -> None:
        super(OpenReasoning, self).check(request, body)
        thinking = (body.get("thinking") or {"type": "enabled"})["type"] == "enabled"
        forced = body.get("tool_choice") not in (None, "auto", "none")
        require(not (thinking and forced), "Thinking mode does not support this tool_choice")
        if thinking:
            check_reasoning(self, body)

    def message(self, turn: Turn) -> Json:
        return {**super(OpenReasoning, self).message(turn), "reasoning_content": reasoning(turn.number)}
