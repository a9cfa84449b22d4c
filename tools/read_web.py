"""The tool `read_web`: one of the team's own servers, where the configuration allows it."""

import asyncio
import json
from typing import Annotated

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described
from tools._json_lines import MAX_LINES, json_lines

MAX_QUERY = 8


@tool(needs="web")
async def read_web(
    ctx: ToolContext,
    system: Annotated[str, Described("Its configured name")],
    path: Annotated[str, Described("From / on, without a query")],
    query: Annotated[str, Described("A JSON object of up to 8 parameters")] = "",
) -> Evidence:
    """Ask one of the team's own servers, read only, at a path that is allowed.

    Call it when the other tools cannot tell; an unknown system or path answers which there are.
    """
    if ctx.web is None or not ctx.web.inventory():
        raise QueryFailed("no servers are configured (systems.web)")
    parameters = _parameters(query)
    answer = await ctx.web.read(system.strip(), path.strip(), parameters)
    # Five megabytes are half a million values: not in the way of everything else.
    lines, count = await asyncio.to_thread(json_lines, answer)
    more = f", {count - MAX_LINES} more lines not kept" if count > MAX_LINES else ""
    return Evidence(
        summary=f"{one_line(system, 60)} {one_line(path, 120)}: {count} values{more}",
        query=ctx.web.address(system.strip(), path.strip(), parameters),
        details=lines,
        source=f"web:{one_line(system, 60)}",
        user_controllable=True,
    )


def _parameters(query: str) -> dict[str, str]:
    if not query.strip():
        return {}
    try:
        parsed = json.loads(query)
    except ValueError as error:
        raise InvalidQuery('query must be a JSON object, for example {"service": "checkout"}') from error
    if (
        not isinstance(parsed, dict)
        or len(parsed) > MAX_QUERY
        or not all(isinstance(v, str | int | float) for v in parsed.values())
    ):
        raise InvalidQuery(f"query must be a JSON object of at most {MAX_QUERY} texts or numbers")
    return {str(name)[:60]: str(value)[:200] for name, value in parsed.items()}
