"""Submitting and closing modals, and what the app's ack does to them."""

from __future__ import annotations

from typing import Any

from bot.sandbox.workspace import payloads
from bot.sandbox.workspace.acts import Acts
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.inputs import refused_by_client, state_of
from bot.sandbox.workspace.people import Person
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.views import View

Json = dict[str, Any]


class Submitting:
    """The two ends of a modal, added to what people can do."""

    def __init__(self, ws: Workspace, acts: Acts) -> None:
        self._ws = ws
        self._acts = acts
        acts.handlers |= {"submit": self.submit, "close": self.close}

    async def submit(self, person: Person, request: Json, raw: Json) -> Json:
        """Submit the open modal (or `view`) with `values`; `force` skips what Slack's client checks itself."""
        view = self._view(person, request)
        values = state_of(view.doc["blocks"], request.get("values") or {})
        errors = refused_by_client(view.doc["blocks"], values)
        if errors and not request.get("force"):
            return {"delivered": False, "acked": False, "error": "refused_by_client", "errors": errors}
        view.values = values
        outcome = await self._acts.hand_over("interactive", payloads.submission(self._ws, person, view, values), raw)
        answer = {**outcome.as_json(), "view": view.id}
        if not outcome.acked:
            return answer
        try:
            answer |= self._react(view, outcome.body or {})
        except Refused as refused:
            answer |= {"error": refused.code, "messages": refused.messages}
        self._ws.show_views(view.user)
        return answer

    def _react(self, view: View, ack: Json) -> Json:
        """Carry out the `response_action`: show errors, replace, push, close one or all."""
        action = ack.get("response_action")
        if action == "errors":
            blocks = {block["block_id"] for block in view.doc["blocks"] if block.get("type") == "input"}
            if unknown := set(ack.get("errors", {})) - blocks:
                raise Refused("invalid_errors", [f"no input block {block_id}" for block_id in sorted(unknown)])
            return {"errors": ack.get("errors", {})}
        if action == "update":
            self._ws.views.update(view.id, "", ack.get("view"), "")
        elif action == "push":
            self._ws.views.push(view.user, ack.get("view"))
        else:
            self._ws.views.close(view.user, everything=action == "clear")
        return {"errors": None}

    async def close(self, person: Person, request: Json, raw: Json) -> Json:
        """Close the open modal, or with `all` the whole stack; the app is notified if the view has `notify_on_close`."""
        view = self._view(person, request)
        everything = bool(request.get("all")) or bool(view.doc.get("clear_on_close"))
        closed = self._ws.views.close(view.user, everything=everything)
        self._ws.show_views(view.user)
        answer: Json = {"closed": [one.id for one in closed]}
        for one in closed:
            if one.doc.get("notify_on_close"):
                payload = payloads.closing(self._ws, person, one, cleared=everything)
                answer |= (await self._acts.hand_over("interactive", payload, raw, wants_answer=False)).as_json()
        return answer

    def _view(self, person: Person, request: Json) -> View:
        view = self._ws.views.find(str(request["view"])) if request.get("view") else self._ws.views.top(person.id)
        if view is None:
            raise Refused("no_open_view")
        return view
