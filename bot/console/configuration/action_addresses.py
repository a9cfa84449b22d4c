"""Whether the addresses of actions may be called from here: said before an incident, not after an approval."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.actions.support.http import Outbound
from bot.core.config import Config
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.plugins import Http


class AddressProblem(NamedTuple):
    """An entry of the catalogue whose address is refused (`forbidden`), or whose name has no address here and now."""

    entry: str
    text: str
    forbidden: bool


async def address_problems(config: Config, http: Http | None = None) -> list[AddressProblem]:
    """Every address that would not be called, in the order of the catalogue. Names are resolved; nothing is sent."""
    outbound = http or Outbound()
    calls = [(name, entry, url) for name, entry in config.actions.items() for url in _urls(entry, config.services)]
    problems = await asyncio.gather(*(_problem(outbound, *arguments) for arguments in calls))
    return [problem for problem in problems if problem is not None]


async def _problem(http: Http, name: str, entry: ActionConfig, url: str) -> AddressProblem | None:
    try:
        text = await http.check(url, allow_private=entry.allow_private)
    except ActionFailed as error:
        return AddressProblem(name, _without_sending(str(error)), forbidden=True)
    return AddressProblem(name, _without_sending(text), forbidden=False) if text else None


def _urls(entry: ActionConfig, services: Mapping[str, object]) -> Iterator[str]:
    """The address, and the one that is asked whether it ran; for each service where its host holds the name."""
    for url in (entry.url, str(entry.options.get("probe_url", ""))):
        host = url.partition("://")[2].partition("/")[0]
        for service in (entry.services or tuple(services)) if "{service}" in host else ("service",):
            if url:
                yield url.replace("{service}", service).replace("{key}", "key")


def _without_sending(text: str) -> str:
    return text.removesuffix("; nothing was sent.")
