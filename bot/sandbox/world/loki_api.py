"""Loki's HTTP API over the world's logs, for stream queries: `{service="cart"} |= "timeout" |~ "row \\d+"`."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.logs import Line, Logs
from bot.sandbox.world.prometheus_api import Parameters, answer, success
from bot.sandbox.world.promql.errors import ParseError
from bot.sandbox.world.promql.lexer import duration_seconds, unquote
from bot.sandbox.world.promql.parser import parse_selector
from bot.sandbox.world.promql.syntax import Matcher
from bot.sandbox.world.shop import NAMESPACE

PREFIX = "/world/loki/loki/api/v1"
MOST_LINES = 5000
_STREAM = re.compile(r'\s*(\{(?:[^{}"`]|"(?:\\.|[^"\\])*"|`[^`]*`)*\})')
_FILTER = re.compile(r'\s*(\|=|!=|\|~|!~)\s*("(?:\\.|[^"\\])*"|`[^`]*`)')
_PASSED_OVER = re.compile(r"\s*\|\s*(?:json|logfmt)\b")


class BadQuery(Exception):
    """HTTP 400 with this text."""


class WorldView(Protocol):
    """What the API needs of the world."""

    logs: Logs

    def now(self) -> float:
        """Unix seconds; brings the history up to date."""
        ...


@dataclass(frozen=True)
class LogQuery:
    """Label matchers and line filters, all of which must hold."""

    matchers: tuple[Matcher, ...]
    filters: tuple[Callable[[str], bool], ...]

    def accepts(self, line: Line) -> bool:
        """True if the line is wanted."""
        labels = line.labels
        return all(m.accepts(labels.get(m.label, "")) for m in self.matchers) and all(f(line.text) for f in self.filters)


def _line_filter(op: str, text: str) -> Callable[[str], bool]:
    if op in ("|=", "!="):
        return lambda line: (text in line) == (op == "|=")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise BadQuery(f"parse error : error parsing regexp: {error}") from error
    return lambda line: (pattern.search(line) is not None) == (op == "|~")


def read_query(text: str) -> LogQuery:
    """The parsed query; raises BadQuery."""
    match = _STREAM.match(text)
    if match is None:
        raise BadQuery("parse error at line 1, col 1: syntax error: unexpected input, expecting {")
    try:
        matchers = parse_selector(match[1]).matchers
    except ParseError as error:
        raise BadQuery(str(error)) from error
    filters, position = [], match.end()
    while text[position:].strip():
        if token := _FILTER.match(text, position):
            filters.append(_line_filter(token[1], unquote(token[2])))
        elif not (token := _PASSED_OVER.match(text, position)):
            raise BadQuery(
                f"parse error at line 1, col {position + 1}: syntax error: unexpected {text[position:].strip()[:20]!r}"
            )
        position = token.end()
    return LogQuery(matchers, tuple(filters))


def moment(text: str | None, default: float) -> float:
    """Unix seconds from nanoseconds, seconds or RFC 3339; raises BadQuery."""
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise BadQuery(f"could not parse timestamp {text!r}") from None
    # Loki's rule: more digits than seconds can have are nanoseconds.
    return number / 1e9 if number > 1e11 else number


class LokiApi:
    """The endpoints."""

    def __init__(self, world: WorldView) -> None:
        self.world = world

    def query_range(self, p: Parameters) -> Response:
        started = time.perf_counter()
        now = self.world.now()
        query = read_query(p.get("query") or "")
        end = min(moment(p.get("end"), now), now)
        start = moment(p.get("start"), end - self._since(p))
        limit = self._limit(p)
        backward = (p.get("direction") or "backward").lower() != "forward"
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        count = 0
        for line in self.world.logs.lines(self._services(query), start, end, backward=backward):
            if count >= limit:
                break
            if query.accepts(line):
                count += 1
                streams.setdefault(tuple(line.labels.items()), []).append([str(line.at_ns), line.text])
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        summary = {"execTime": time.perf_counter() - started, "totalEntriesReturned": count}
        return success({"resultType": "streams", "result": result, "stats": {"summary": summary}})

    def labels(self, _: Parameters) -> Response:
        return success(["level", "namespace", "pod", "service"])

    def values(self, p: Parameters, name: str) -> Response:
        now = self.world.now()
        logs = self.world.logs
        values: dict[str, list[str]] = {
            "service": sorted(logs.shop.services),
            "level": ["error", "info", "warning"],
            "namespace": [NAMESPACE],
            "pod": sorted(pod.name for pod in logs.fleet.between(now - 3600, now)),
        }
        return success(values.get(name, []))

    def _services(self, query: LogQuery) -> list[str]:
        of_service = [m for m in query.matchers if m.label == "service"]
        return [s for s in self.world.logs.shop.services if all(m.accepts(s) for m in of_service)]

    def _since(self, p: Parameters) -> float:
        try:
            return duration_seconds(p.get("since") or "1h")
        except ValueError as error:
            raise BadQuery(str(error)) from error

    def _limit(self, p: Parameters) -> int:
        text = p.get("limit") or "100"
        if not text.isdecimal() or int(text) == 0:
            raise BadQuery("limit must be a positive value")
        if int(text) > MOST_LINES:
            raise BadQuery(f"max entries limit per query exceeded, limit > max_entries_limit ({text} > {MOST_LINES})")
        return int(text)


def loki_routes(world: WorldView) -> list[BaseRoute]:
    """Everything below `/world/loki`."""
    api = LokiApi(world)

    def guarded(handle: Callable[[Request, Parameters], Response]) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                return handle(request, await Parameters.of(request))
            except BadQuery as error:
                # Loki answers errors as plain text.
                return PlainTextResponse(str(error) + "\n", 400)

        return endpoint

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ready\n")

    async def build(_: Request) -> Response:
        return answer(
            {"version": "3.2.0+shop", "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}
        )

    both = ["GET", "POST"]
    return [
        Route("/world/loki/ready", ready),
        Route(f"{PREFIX}/status/buildinfo", build),
        Route(f"{PREFIX}/query_range", guarded(lambda _, p: api.query_range(p)), methods=both),
        Route(f"{PREFIX}/labels", guarded(lambda _, p: api.labels(p)), methods=both),
        Route(f"{PREFIX}/label/{{name}}/values", guarded(lambda r, p: api.values(p, r.path_params["name"]))),
    ]
