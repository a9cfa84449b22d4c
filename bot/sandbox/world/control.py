"""Control of the world (`/_world/...`, for demos, tests and checkers) and its job runner (`/world/jobs/...`)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.scenarios.catalogue import FAULTS
from bot.sandbox.world.configuration import pages
from bot.sandbox.world.jobs import JobRefused
from bot.sandbox.world.life import Life
from bot.sandbox.world.prometheus_api import answer

Handler = Callable[[Request], Awaitable[Response]]


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = json.loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body


def job_routes(life: Life) -> list[BaseRoute]:
    """The job runner, the list of changes and the runbooks, as the shop's own people see them."""
    jobs = life.world.jobs

    async def run(request: Request) -> Response:
        try:
            job = jobs.run(request.path_params["action"], await request.body(), request.headers)
        except JobRefused as refused:
            return answer({"error": str(refused)}, refused.status)
        return answer(job.answer(), 200 if job.status == "succeeded" else 422)

    async def one(request: Request) -> Response:
        job = jobs.get(request.path_params["id"])
        return answer(job.answer()) if job else answer({"error": "no such job"}, 404)

    async def changes(request: Request) -> Response:
        service = request.query_params.get("service")
        listed = [c.as_json(life.world.base_url) for c in life.world.changes() if service in (None, c.service)]
        return answer(listed)

    async def change(request: Request) -> Response:
        match = next((c for c in life.world.changes() if c.id == request.path_params["id"]), None)
        return answer(match.as_json(life.world.base_url)) if match else answer({"error": "no such change"}, 404)

    async def runbook(request: Request) -> Response:
        text = pages().get(request.path_params["name"])
        return PlainTextResponse(text) if text is not None else answer({"error": "no such runbook"}, 404)

    return [
        Route("/world/runbooks/{name}", runbook),
        Route("/world/jobs/{action}", run, methods=["POST"]),
        Route("/world/jobs/{id}", one),
        Route("/world/changes", changes),
        Route("/world/changes/{id}", change),
    ]


class Control:
    """The control endpoints."""

    def __init__(self, life: Life) -> None:
        self.life = life

    async def start(self, request: Request) -> Response:
        """Addresses and tokens: alerts_to, alerts_token, changes_to, changes_token; `token` stands for both."""
        body = await _body(request)
        token = str(body.get("token", ""))
        self.life.start(
            alerts_to=str(body.get("alerts_to", "")),
            alerts_token=str(body.get("alerts_token", token)),
            changes_to=str(body.get("changes_to", "")),
            changes_token=str(body.get("changes_token", token)),
        )
        return answer({"started": True})

    async def send_changes(self, request: Request) -> Response:
        """Send all past changes (again)."""
        body = await _body(request)
        self.life.changes_to = str(body.get("to") or self.life.changes_to)
        self.life.changes_token = str(body.get("token") or self.life.changes_token)
        if not self.life.changes_to:
            raise ValueError("no address: give {'to': ...} or start with changes_to")
        return answer({"sent": self.life.send_changes(again=True)})

    async def fault(self, request: Request) -> Response:
        """Start another fault now: `name`, `service` (drawn if empty), `beside` what stands (else that is healed)."""
        body = await _body(request)
        name = str(body.get("name", ""))
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}: one of {', '.join(FAULTS)}")
        fault = self.life.world.break_now(name, str(body.get("service") or ""), beside=body.get("beside") is True)
        return answer({"fault": fault.name, "title": fault.title})

    async def heal(self, _: Request) -> Response:
        """End the fault."""
        self.life.world.heal()
        return answer({"healed": True})

    async def state(self, _: Request) -> Response:
        return answer(self.life.world.state())

    async def truth(self, _: Request) -> Response:
        return answer(self.life.world.truth())

    async def faults(self, _: Request) -> Response:
        return answer([{"name": kind.name, "title": kind.title, "services": list(kind.roots)} for kind in FAULTS.values()])

    async def executions(self, _: Request) -> Response:
        return answer([job.as_json() for job in self.life.world.jobs.executed])

    async def sent(self, request: Request) -> Response:
        """Every webhook; `?kind=alert|changes`, `?state=waiting|delivered|refused`."""
        filters = request.query_params
        webhooks = [s.as_json() for s in self.life.delivery.sent]
        return answer([s for s in webhooks if all(s.get(name) == value for name, value in filters.items())])


def control_routes(life: Life) -> list[BaseRoute]:
    """Everything below `/_world`."""
    control = Control(life)

    def guarded(handle: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            try:
                return await handle(request)
            except ValueError as error:
                return answer({"error": str(error)}, 400)

        return endpoint

    posts = {
        "start": control.start,
        "changes/send": control.send_changes,
        "fault": control.fault,
        "heal": control.heal,
    }
    gets = {
        "state": control.state,
        "truth": control.truth,
        "faults": control.faults,
        "executions": control.executions,
        "sent": control.sent,
    }
    return [
        *(Route(f"/_world/{path}", guarded(handle), methods=["POST"]) for path, handle in posts.items()),
        *(Route(f"/_world/{path}", guarded(handle)) for path, handle in gets.items()),
    ]
