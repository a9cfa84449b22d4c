"""A configured system as actions change it: its address, its name of the service, a token for writing, its answers."""

import base64
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bot.core.action import Outcome, OutcomeState
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.text.untrusted import one_line
from bot.plugins import ActionContext, HttpAnswer

JsonObject = Mapping[str, Any]
MAX_BYTES = 4 * 1024 * 1024
"""Of an answer: a list of replica sets with their templates is long."""
UNKNOWN_STATUS = frozenset({408, 500, 502, 504})
"""Answers of a server or gateway that may have acted all the same."""


class RemoteSystem:
    """One system of tocsin.yaml (`systems.<key>`), which people call `title`. Raises ActionFailed if it is not set up."""

    def __init__(self, ctx: ActionContext, key: str, title: str) -> None:
        system = ctx.systems.get(key)
        if system is None or not system.url:
            raise ActionFailed(f"{title} is not set up (systems.{key}.url in tocsin.yaml). Nothing was sent.")
        self.title = title
        self._key = key
        self._ctx = ctx
        self._system = system

    def name_of(self, service: str) -> str:
        """What the system calls this service. Raises ActionFailed if tocsin.yaml does not say it."""
        if not (name := self._system.names.get(service, "")):
            raise ActionFailed(f"tocsin.yaml does not say what {self.title} calls {service} (known_as.{self._key}).")
        return name

    async def read(self, path: str, **query: str) -> JsonObject:
        """One object. Raises ActionFailed where it cannot be read, with the system's reason."""
        if (body := await self.find(path, **query)) is None:
            raise ActionFailed(f"{self.title} does not know {path}.")
        return body

    async def find(self, path: str, **query: str) -> JsonObject | None:
        """One object; None if there is none (404). Raises ActionFailed like `read`."""
        answer = await self._read(path, query)
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(answer.json, Mapping):
            raise ActionFailed(f"{self.title} answered {refusal(answer)}.")
        return answer.json

    async def listed(self, path: str, **query: str) -> Sequence[JsonObject]:
        """The objects of an answer that is a list itself. Raises ActionFailed like `read`."""
        answer = await self._read(path, query)
        if answer.status != 200 or not isinstance(answer.json, list):
            raise ActionFailed(f"{self.title} answered {refusal(answer)}.")
        return [row for row in answer.json if isinstance(row, Mapping)]

    async def _read(self, path: str, query: Mapping[str, str]) -> HttpAnswer:
        try:
            return await self._send("GET", path, query)
        except OutcomeUnknown as error:
            raise ActionFailed(f"{self.title} could not be read: {error}") from error

    async def write(
        self, method: str, path: str, body: object, *, key: str, content_type: str = "", **query: str
    ) -> HttpAnswer:
        """The one request that changes something, or its trial. Raises ActionFailed or OutcomeUnknown as `Http.send` does."""
        return await self._send(method, path, query, body, key, content_type)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object = None,
        key: str = "",
        content_type: str = "",
    ) -> HttpAnswer:
        headers = {"Authorization": _authorization(self._system.token()), "Accept": "application/json"}
        return await self._ctx.http.send(
            method,
            self._system.url.rstrip("/") + path + (f"?{urlencode(query)}" if query else ""),
            json=body,
            key=key,
            headers=headers | ({"Content-Type": content_type} if content_type else {}),
            # Configured beside the tools' own access, often within the cluster.
            allow_private=True,
            ca_file=self._system.ca_file,
            most_bytes=MAX_BYTES,
        )


def _authorization(token: str) -> str:
    """A bearer token; `user:token` for those that ask for a name and password (Jira Cloud)."""
    return f"Basic {base64.b64encode(token.encode()).decode()}" if ":" in token else f"Bearer {token}"


def refusal(answer: HttpAnswer) -> str:
    """Status and reason of an answer that is no success, as short text."""
    body = answer.json if isinstance(answer.json, Mapping) else {}
    reason = body.get("message") or body.get("error") or body.get("errorMessages") or answer.text
    return f"{answer.status}: {one_line(str(reason), 200)}" if reason else str(answer.status)


def outcome_of(title: str, answer: HttpAnswer, done: str, *, remote_id: str = "") -> Outcome:
    """What an answer to the one call means; `done` is the text of success."""
    if 200 <= answer.status < 300:
        return Outcome(state=OutcomeState.DONE, text=done, remote_id=remote_id)
    state = OutcomeState.UNKNOWN if answer.status in UNKNOWN_STATUS else OutcomeState.FAILED
    return Outcome(state=state, text=f"{title} answered {refusal(answer)}.")


async def called(call: Awaitable[Outcome]) -> Outcome:
    """The outcome of a call, also of one that was never sent or whose answer was lost."""
    try:
        return await call
    except ActionFailed as error:
        return Outcome(state=OutcomeState.FAILED, text=str(error))
    except OutcomeUnknown as error:
        return Outcome(state=OutcomeState.UNKNOWN, text=str(error))


def text_at(body: object, *path: str) -> str:
    """The text at a path of keys, on one line; "" where it is missing or something else."""
    value = value_at(body, *path)
    return one_line(str(value), 200) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def value_at(body: object, *path: str) -> Any:  # Any: JSON of another system
    """What lies at a path of keys; None where it is missing."""
    for key in path:
        body = body.get(key) if isinstance(body, Mapping) else None
    return body


def objects_at(body: object, *path: str) -> Sequence[JsonObject]:
    """The objects of the list at a path of keys."""
    rows = value_at(body, *path)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
