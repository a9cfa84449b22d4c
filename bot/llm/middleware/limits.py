"""Ends a run at its budget: the last allowed turn must be the answer, beyond it nothing is called."""

from langchain.agents.middleware import AgentMiddleware

from bot.llm.calling import Handler, ModelDown, Request, Response
from bot.llm.spending import Spending


class Limits(AgentMiddleware):
    """Takes the tools away on the last turn; raises `ModelDown` when even that is spent."""

    def __init__(self, spending: Spending) -> None:
        super().__init__()
        self.spending = spending

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        if reached := self.spending.used_up:
            raise ModelDown(reached)
        if self.spending.last_turn:
            request = request.override(tools=[])
        return await handler(request)
