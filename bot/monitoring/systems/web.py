"""Servers of the team's own: only paths that the reviewed configuration allows are read, with GET."""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from bot.core.check import Check, failed, ok
from bot.core.config.systems import WebConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonServer

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:@")
MAX_PATH = 300


class AllowedWeb:
    """The Web port. A path is compared as it stands: nothing is decoded, so nothing can be read in two ways."""

    def __init__(
        self,
        systems: Mapping[str, WebConfig],
        client: httpx.AsyncClient,
        *,
        tokens: Mapping[str, str] | None = None,
        seconds: float = 8.0,
    ) -> None:
        self._systems = systems
        self._servers = {
            name: JsonServer(client, name=name, base=system.url, seconds=seconds, token=(tokens or {}).get(name, ""))
            for name, system in systems.items()
        }

    def inventory(self) -> Mapping[str, str]:
        """The systems that may be queried, each with its paths and its description."""
        return {name: f"{', '.join(system.allow)}: {system.about}".rstrip(": ") for name, system in self._systems.items()}

    async def read(self, system: str, path: str, query: Mapping[str, str]) -> object:
        """The JSON that an allowed path answers. Raises QueryFailed."""
        return await self._server(system, path).read(path, query)

    def address(self, system: str, path: str, query: Mapping[str, str]) -> str:
        """The address where a person can check again."""
        self._server(system, path)
        return self._systems[system].url.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")

    async def check(self, system: str) -> Check:
        """Whether the first allowed path that has no `*` answers."""
        plain = next((path for path in self._systems[system].allow if not path.endswith("/*")), "")
        if not plain:
            return ok(system, f"{len(self._systems[system].allow)} paths are allowed; none can be tried without a value")
        try:
            await self.read(system, plain, {})
        except QueryFailed as error:
            return failed(system, str(error), f"check systems.web.{system} in tocsin.yaml")
        return ok(system, f"{plain} answers")

    def _server(self, system: str, path: str) -> JsonServer:
        if system not in self._systems:
            names = ", ".join(self._systems) or "none"
            raise InvalidQuery(f"there is no system {one_line(system, 60)!r}; there is {names}")
        allowed = self._systems[system].allow
        if not any(_fits(path, pattern) for pattern in allowed):
            may = ", ".join(allowed) or "nothing"
            raise QueryFailed(f"{one_line(path, 120)!r} is not allowed on {system}; allowed: {may}")
        if not stays_on(self._systems[system].url, path):
            raise QueryFailed(f"{one_line(path, 120)!r} would leave {system}")
        return self._servers[system]


def stays_on(base: str, path: str) -> bool:
    """Whether an address that ends in this path still is the configured server's, as the client itself reads both."""
    try:
        own, whole = httpx.URL(base), httpx.URL(base.rstrip("/") + path)
    except httpx.InvalidURL:
        return False
    return (whole.scheme, whole.host, whole.port, whole.userinfo) == (own.scheme, own.host, own.port, own.userinfo)


def _fits(path: str, pattern: str) -> bool:
    segments = path.split("/")
    # Without its slash a path would go on the host's name.
    if not path.startswith("/") or not pattern.startswith("/"):
        return False
    if len(path) > MAX_PATH or not set(path) <= _PLAIN or ".." in segments or "." in segments or "" in segments[1:]:
        return False
    if pattern.endswith("/*"):
        head, _, last = path.rpartition("/")
        return head == pattern[:-2] and bool(last)
    return path == pattern
