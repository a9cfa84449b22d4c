"""Renders the newest state of a message's subject with the view of its kind: what the sender calls."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.core.alerts.storm import suspected_origin
from bot.core.config import Config
from bot.core.errors import TocsinError
from bot.core.text.untrusted import cut
from bot.slack.blocks import Rendered, check_blocks
from bot.slack.limits import LIMIT
from bot.slack.views import answer, backlog, card, cause, incident_card, line, postmortem, proposal, storm, triage
from bot.store.db.database import Database
from bot.store.slack import message_states as states
from bot.store.tables import MessageRow
from bot.workflows.messages.delivery import Rendering

log = structlog.get_logger(__name__)

View = Callable[[Mapping[str, Any]], Rendered]
VIEWS: Mapping[str, View] = {
    "card": card.render,
    "incident_card": incident_card.render,
    "storm": storm.render,
    "digest": backlog.render,
    "triage": triage.render,
    "proposal": proposal.render,
    "answer": answer.render,
    "postmortem": postmortem.render,
    "cause": cause.render,
    "line": line.render,
    "raised": line.render,
}
"""The view of each kind of message."""

_REFERENCE = re.compile(r"\b(AL|INC|AP)-[0-9]+")
_SHELF = {"AL": "groups", "INC": "incidents", "AP": "proposals"}
"""Where the API keeps what a reference names."""

MENTIONED = 50
"""People that one message notifies at most: more fit no line, and a storm of that size is everybody's."""

OnCall = Callable[[str], Awaitable[Sequence[str]]]
"""Person keys on call for a service now; raises TocsinError if the rota cannot be read."""


class Renderer:
    """`render(row)` for the sender; `show(view, state)` for private answers."""

    def __init__(
        self,
        db: Database,
        config: Config,
        on_call: OnCall,
        *,
        redact: Callable[[str], str] = lambda text: text,
        public_url: str = "",
    ) -> None:
        self.db, self.config, self.on_call, self.redact = db, config, on_call, redact
        self.hosts = allowed_hosts(config, public_url)
        self.called = called_hosts(config)
        self.public_url = public_url.rstrip("/")

    async def render(self, row: MessageRow) -> Rendering | None:
        """The message as it should look now; None if there is nothing to show."""
        async with self.db.read() as session:
            state = await states.load(session, row.kind, row.subject)
        if state is None:
            return None
        shown = await self._complete(row, state)
        if state.get("told_services") and not shown["mention"]:
            # A line into a storm's thread is there for its mention alone.
            return None
        text, blocks = VIEWS[row.kind](shown)
        if problems := check_blocks(blocks):
            log.error("a view broke Slack's limits", kind=row.kind, key=row.key, problems=problems[:5])
        text = cut(self.redact(text), LIMIT["fallback"])
        return Rendering(text=text, blocks=redacted(blocks, self.redact), weight=_weight(row.kind, state))

    async def _complete(self, row: MessageRow, state: Mapping[str, Any]) -> dict[str, Any]:
        """The state with what only configuration knows: allowed hosts, people, and whom to mention.

        The on-call is mentioned in the first post of an incident's card and by name
        afterwards: an edit notifies nobody, and a repeated mention is noise.
        """
        on_call = await self._on_call(state.get("service", ""))
        people = self.config.people
        mention = await self._mention(state) if not row.ts and _deserves_mention(row, state) else []
        if row.kind == "line":
            mention = self._slack_of(row.mentions)
        whole = self._whole(row, state) if row.kind == "line" else ""
        known = {"hosts": self.hosts, "called": self.called, "on_call": on_call, "mention": mention, "people": people}
        return {**state, **known, "whole": whole, "origin": self._origin(state) if row.kind == "storm" else None}

    def _slack_of(self, persons: Sequence[str]) -> list[str]:
        people = self.config.people
        return [people[person].slack for person in persons if person in people and people[person].slack]

    async def _mention(self, state: Mapping[str, Any]) -> list[str]:
        """Slack ids of the on-calls to notify, two a service and each once; in a storm those of every service that is hit."""
        told = [await self._notified(service) for service in state.get("told_services", ())]
        new = [await self._notified(service) for service in state.get("incident_services") or [state.get("service", "")]]
        known = set(chain.from_iterable(told))
        return [user for user in dict.fromkeys(chain.from_iterable(new)) if user not in known][:MENTIONED]

    async def _notified(self, service: str) -> list[str]:
        return self._slack_of(await self._on_call(service))[:2]

    def _origin(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        firing = [group["service"] for group in state["groups"] if group["state"] != "RESOLVED"]
        found = suspected_origin(firing, {name: service.depends_on for name, service in self.config.services.items()})
        return {"service": found[0], "groups": found[1]} if found else None

    def _whole(self, row: MessageRow, state: Mapping[str, Any]) -> str:
        """Where all of a line's text can be read: the API's page on what it is about, else on the card above it."""
        about = _REFERENCE.match(state["text"]) or _REFERENCE.search(row.thread_key)
        if not about:
            return ""
        ref = about.group(0)
        return f"`show {ref}` tells its story; the API has every word: `{self.public_url}/api/{_SHELF[about.group(1)]}/{ref}`"

    async def _on_call(self, service: str) -> list[str]:
        if not service:
            return []
        try:
            return list(await self.on_call(service))
        except TocsinError as error:
            log.warning("could not read the rota", service=service, why=str(error))
            return []


def allowed_hosts(config: Config, public_url: str = "") -> frozenset[str]:
    """Hosts that may be live links: those of configuration, nothing else."""
    addresses = (config.prometheus.url, config.prometheus.public_url, config.alertmanager.url, config.logs.loki, public_url)
    found = {urlsplit(address).hostname or "" for address in addresses if address}
    return frozenset((found | set(config.links.hosts)) - {""})


def called_hosts(config: Config) -> frozenset[str]:
    """Hosts that remediations call: an approver reads, and may have to copy, the request as it is sent."""
    addresses = (config.alertmanager.url, *(entry.url for entry in config.actions.values()))
    return frozenset((urlsplit(address).hostname or "").lower() for address in addresses) - {""}


def redacted(node: Any, redact: Callable[[str], str]) -> Any:
    """Blocks with secrets masked in every text: the last gate before Slack. Ids, verbs and values stay as they are."""
    if isinstance(node, dict):
        return {
            name: redact(value) if name == "text" and isinstance(value, str) else redacted(value, redact)
            for name, value in node.items()
        }
    return [redacted(item, redact) for item in node] if isinstance(node, list) else node


def _deserves_mention(row: MessageRow, state: Mapping[str, Any]) -> bool:
    if row.kind not in ("card", "incident_card", "storm", "raised") or row.sent_at is not None:
        # One that stood before and was deleted by a person has told the on-call.
        return False
    # A card that comes out of a storm stands late; the storm's own card has told the on-call.
    late = row.kind == "card" and row.created_at - state["opened_at"] > FROM_STORM
    return not late and bool(state.get("incident") or state.get("declared_at"))


FROM_STORM = timedelta(seconds=30)


def _weight(kind: str, state: Mapping[str, Any]) -> str:
    """What makes an edit urgent: everything but counts and progress."""
    parts: list[Any] = [state.get(name) for name in _WEIGHTY]
    if kind == "triage":
        parts += [bool(state["facts"]), state["findings"]]
    if kind == "storm":
        parts.append(len(state["groups"]) // 10)
    return repr(parts) if kind != "proposal" else repr(sorted(state.items(), key=lambda item: item[0]))


_WEIGHTY = (
    "state",
    "severity",
    "triage_state",
    "acknowledged_by",
    "incident",
    "lead",
    "stopped",
    "resolved_by",
    "attempt",
    "n",
    "said",
    "answer",
)
