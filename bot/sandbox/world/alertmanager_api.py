"""The part of Alertmanager's API v2 that incident tools use: alerts, silences, status."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world.change import iso
from bot.sandbox.world.life import Life
from bot.sandbox.world.prometheus_api import answer
from bot.sandbox.world.promql.errors import ParseError
from bot.sandbox.world.promql.parser import parse_selector
from bot.sandbox.world.promql.syntax import Matcher
from bot.sandbox.world.silences import BadSilence

PREFIX = "/world/alertmanager/api/v2"


def _filters(request: Request) -> list[Matcher]:
    texts = request.query_params.getlist("filter")
    return [m for text in texts for m in parse_selector(text if text.startswith("{") else f"{{{text}}}").matchers]


def _shows(request: Request, alert: dict[str, Any]) -> bool:
    suppressed = alert["status"]["state"] == "suppressed"
    switch = "silenced" if suppressed else "active"
    return request.query_params.get(switch, "true") != "false"


class _Api:
    """The endpoints, on one world's alerts and silences."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def alerts(self, request: Request) -> Response:
        try:
            filters = _filters(request)
        except ParseError as error:
            return answer({"code": 400, "message": f"bad matcher: {error}"}, 400)
        alerts = self._life.notifier.entries(self._life.world.now())
        matching = [a for a in alerts if _shows(request, a) and all(m.accepts(a["labels"].get(m.label, "")) for m in filters)]
        return answer(matching)

    async def silences(self, request: Request) -> Response:
        now, silences = self._life.world.now(), self._life.silences
        if request.method == "GET":
            return answer([silence.as_json(now) for silence in silences.by_id.values()])
        try:
            body = json.loads(await request.body())
            if not isinstance(body, dict):
                raise BadSilence("silence must be an object")
            return answer({"silenceID": silences.put(body, now)})
        except ValueError as error:
            return answer({"code": 400, "message": str(error)}, 400)

    async def silence(self, request: Request) -> Response:
        now, silence_id = self._life.world.now(), request.path_params["id"]
        silence = self._life.silences.by_id.get(silence_id)
        if silence is None:
            return answer(f"silence {silence_id} not found", 404)
        if request.method == "DELETE":
            self._life.silences.expire(silence_id, now)
            return Response(status_code=200)
        return answer(silence.as_json(now))

    async def status(self, _: Request) -> Response:
        version = {"version": "0.28.1+shop", "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}
        return answer(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": "route:\n  receiver: incident-bot\n  group_by: [alertname, service]\n"},
                "uptime": iso(self._life.world.started_at),
                "versionInfo": version,
            }
        )


async def _ready(_: Request) -> Response:
    return PlainTextResponse("OK")


def alertmanager_routes(life: Life) -> list[BaseRoute]:
    """Everything below `/world/alertmanager`."""
    api = _Api(life)
    return [
        Route("/world/alertmanager/-/ready", _ready),
        Route(f"{PREFIX}/alerts", api.alerts),
        Route(f"{PREFIX}/silences", api.silences, methods=["GET", "POST"]),
        Route(f"{PREFIX}/silence/{{id}}", api.silence, methods=["GET", "DELETE"]),
        Route(f"{PREFIX}/status", api.status),
    ]
