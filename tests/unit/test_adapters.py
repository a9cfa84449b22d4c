"""Which tools a configuration offers, and what the model is told of those over systems of the team's own."""

import httpx

from bot.adapters import systems_of, tools_of
from bot.core.config import Config
from bot.plugins import Tool, discover
from bot.settings import Secrets

WEB = {"status": {"url": "http://status.example.com", "allow": ["/notes", "/of/*"], "about": "what people noted"}}
MCP = {"wiki": {"url": "http://wiki.example.com/mcp", "about": "the team's pages"}, "plain": {"url": "http://p.example.com"}}


async def offered(**systems: object) -> dict[str, Tool]:
    config = Config.model_validate({"systems": systems})
    async with httpx.AsyncClient() as client:
        return tools_of(discover(["tools"], Tool), systems_of(Secrets(), config, client))


async def test_the_model_is_told_which_servers_of_the_team_may_be_asked_and_for_what() -> None:
    tools = await offered(web=WEB, mcp=MCP)

    assert tools["read_web"].description.endswith("Set up here: status (/notes, /of/*: what people noted)")
    assert tools["ask_mcp"].description.endswith("Set up here: wiki (the team's pages); plain")


async def test_what_is_not_set_up_is_not_offered() -> None:
    tools = await offered(argocd={"url": "http://argo.example.com"})

    assert not tools.keys() & {"read_web", "ask_mcp", "code_changes", "model_versions", "search_traces"}
    assert "Set up here" not in tools["recent_changes"].description
