"""Renders the newest state of a message's subject with the view of its kind: what the sender calls."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol, TypeVar, overload
from urllib.parse import urlsplit

import structlog

from bot.core.alerts.storm import suspected_origin
from bot.core.approvals import in_force
from bot.core.config import Config
from bot.core.errors import QueryFailed, TocsinError
from bot.core.messages.alerts import (
    BacklogContent,
    CardContent,
    IncidentContent,
    LineContent,
    RaisedContent,
    RenewedContent,
    StormContent,
    StormOrigin,
    burst_services,
)
from bot.core.messages.content import Content, MessageKind
from bot.core.messages.investigation import AnswerContent, CauseContent, PostmortemContent, TriageContent
from bot.core.messages.proposals import PolicyContent, ProposalContent
from bot.core.messages.withheld import WithheldContent
from bot.core.metrics.graph_links import on_own_page
from bot.core.text.link_prefixes import link_prefix, own_prefix
from bot.core.text.untrusted import cut
from bot.slack.blocks import Rendered, check_blocks
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import allowed_address
from bot.slack.view_context import ViewContext
from bot.slack.views import (
    answer,
    backlog,
    card,
    cause,
    incident_card,
    line,
    policy,
    postmortem,
    proposal,
    storm,
    triage,
    withheld,
)
from bot.store.db.database import Database
from bot.store.slack import message_contents as contents
from bot.store.slack.withheld import WithheldMessages
from bot.store.tables import MessageRow
from bot.workflows.messages.delivery import Rendering

V = TypeVar("V")

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 60.0
"""Between two questions for Prometheus' public address, while it does not answer."""
_REFERENCE = re.compile(r"\b(AL|INC|AP)-[0-9]+")
_API_PATHS = {"AL": "groups", "INC": "incidents", "AP": "proposals"}
"""Where the API keeps what a reference names."""

MENTIONED = 50
"""People that one message notifies at most: more fit no line, and a storm of that size is everybody's."""

OnCall = Callable[[str], Awaitable[Sequence[str]]]
"""Person keys on call for a service now; raises TocsinError if the rota cannot be read."""


class HasPublicUrl(Protocol):
    """What says where people open it."""

    async def read_public_url(self) -> str:
        """Raises QueryFailed."""
        ...


class Renderer:
    """`render(row)` for the sender."""

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
        self.public_url = public_url.rstrip("/")
        self._read_from_prometheus = ""

    def allow(self, prometheus_url: str) -> None:
        """Where people open Prometheus, once it has said so."""
        self._read_from_prometheus = prometheus_url

    async def read_public_url(self, metrics: HasPublicUrl | None, on_answer: Callable[[], None]) -> None:
        """Ask Prometheus where people open it, until it has answered: its links are live from then on."""
        while metrics is not None:
            with contextlib.suppress(QueryFailed):
                self.allow(await metrics.read_public_url())
                on_answer()
                return
            await asyncio.sleep(AGAIN_SECONDS)

    @property
    def hosts(self) -> frozenset[str]:
        """Where live links may lead: to the hosts of the configuration as it is now, and Prometheus' own."""
        return allowed_hosts(self.config, self.public_url) | {own_prefix(self._read_from_prometheus)} - {""}

    @property
    def prometheus_url(self) -> str:
        """Where people open Prometheus."""
        return self._read_from_prometheus or self.config.prometheus.public_url or self.config.prometheus.url

    async def render(self, row: MessageRow) -> Rendering | None:
        """The message as it should look now; None if there is nothing to show."""
        content = await self._load(row)
        if content is None:
            return None
        view = await self._context(row, content)
        if not view.mention and _is_for_mention(row, content):
            return None
        text, blocks = rendered(self._completed(row, content), view)
        if problems := check_blocks(blocks):
            log.error("a view broke Slack's limits", kind=row.kind, key=row.key, problems=problems[:5])
        text = cut(self.redact(text), LIMIT["fallback"])
        return Rendering(text=text, blocks=redacted(blocks, self.redact), urgent_state=repr(content.urgent_part))

    async def _load(self, row: MessageRow) -> Content | None:
        if row.kind == MessageKind.WITHHELD:
            return await WithheldMessages(self.db).content(row.subject)
        async with self.db.read() as session:
            return await contents.load(session, row.kind, row.subject)

    async def _context(self, row: MessageRow, content: Content) -> ViewContext:
        """Allowed hosts, people, and whom to mention.

        The on-call is mentioned in the first post of an incident's card and by name
        afterwards: an edit notifies nobody, and a repeated mention is noise.
        """
        if row.kind == MessageKind.LINE or row.mentions:
            mention = self._slack_of(row.mentions)
        else:
            mention = await self._mention(content) if _first_post(row, content) else []
        return ViewContext(
            hosts=self.hosts,
            called_hosts=called_hosts(self.config),
            on_call=await self._on_call(content.service) if content.service or content.notified_services else (),
            owners=service.owners if (service := self.config.services.get(content.service)) else (),
            solo=in_force.solo(self.config),
            mention=mention,
            written_at=row.created_at,
            people=self.config.people,
        )

    def _completed(self, row: MessageRow, content: Content) -> Content:
        """The content with what follows from configuration."""
        match content:
            case CardContent():
                word = "" if self.config.knows_severity(content.severity_word) else content.severity_word
                links = [(label, self._live(url)) for label, url in content.links]
                return replace(content, severity_word=word, links=links)
            case StormContent():
                unmapped = [word for word in content.severity_words if not self.config.knows_severity(word)]
                origin = self._origin([group.service for group in content.firing])
                return replace(content, origin=origin, severity_words=unmapped)
            case RenewedContent():
                origin = self._origin(burst_services(content))
                return replace(content, origin=origin.service if origin else "")
            case LineContent() if row.kind == MessageKind.LINE:
                return replace(content, full_text_at=self._full_text_at(row, content.text))
            case _:
                return content

    def _live(self, url: str) -> str:
        """An address of Prometheus' page under a name that nobody configured, on the page that is configured."""
        return url if allowed_address(url, self.hosts) else on_own_page(url, self.prometheus_url) or url

    def _slack_of(self, persons: Sequence[str]) -> list[str]:
        people = self.config.people
        return [people[person].slack for person in persons if person in people and people[person].slack]

    async def _mention(self, content: Content) -> list[str]:
        """Slack ids of the on-calls to notify, two a service and each once; in a storm those of every service that is hit."""
        before = content.services_notified_before
        notified = set(chain.from_iterable([await self._notified(service) for service in before]))
        users = [await self._notified(service) for service in content.notified_services]
        return [user for user in dict.fromkeys(chain.from_iterable(users)) if user not in notified][:MENTIONED]

    async def _notified(self, service: str) -> list[str]:
        return self._slack_of(await self._on_call(service))[:2]

    def _origin(self, firing: Sequence[str]) -> StormOrigin | None:
        depends_on = {name: service.depends_on for name, service in self.config.services.items()}
        origin = suspected_origin(firing, depends_on)
        return StormOrigin(*origin) if origin else None

    def _full_text_at(self, row: MessageRow, text: str) -> str:
        """Where all of a line's text can be read: the API's page on what it is about, else on the card above it."""
        about = _REFERENCE.match(text) or _REFERENCE.search(row.thread_key)
        if not about:
            return ""
        ref = about.group(0)
        path = _API_PATHS[about.group(1)]
        return f"`show {ref}` shows its timeline; the API has the full text: `{self.public_url}/api/{path}/{ref}`"

    async def _on_call(self, service: str) -> list[str]:
        """Whoever is on call for it; "" is a service that nobody knows."""
        try:
            return list(await self.on_call(service))
        except TocsinError as error:
            log.warning("could not read the rota", service=service, why=str(error))
            return []


def allowed_hosts(config: Config, public_url: str = "") -> frozenset[str]:
    """Hosts that may be live links, with a path where others share them: those of configuration, nothing else."""
    prometheus, alertmanager = config.prometheus, config.alertmanager
    monitoring = prometheus.url, prometheus.public_url, alertmanager.url, alertmanager.public_url, config.logs.loki
    own = {own_prefix(address) for address in (*monitoring, public_url)}
    own |= {source_prefix(source.options.get("url")) for source in config.sources.values()}
    return frozenset(own | {link_prefix(entry) for entry in config.links.hosts}) - {""}


def source_prefix(url: object) -> str:
    """Where a source's option `url` says that the sender's pages are; of a host that others share its pages of alerts alone."""
    return own_prefix(url) or own_prefix(f"{url.rstrip('/')}/alert") if isinstance(url, str) and url else ""


def called_hosts(config: Config) -> frozenset[str]:
    """Hosts that remediations call: an approver reads, and may have to copy, the request as it is sent."""
    addresses = (config.alertmanager.url, *(entry.url for entry in config.actions.values()))
    return frozenset((urlsplit(address).hostname or "").lower() for address in addresses) - {""}


@overload
def redacted(node: list[V], redact: Callable[[str], str]) -> list[V]: ...
@overload
def redacted(node: dict[str, V], redact: Callable[[str], str]) -> dict[str, V]: ...
@overload
def redacted(node: object, redact: Callable[[str], str]) -> object: ...
def redacted(node: object, redact: Callable[[str], str]) -> object:
    """Blocks with secrets masked in every text: the last gate before Slack. Ids, verbs and values stay as they are."""
    if isinstance(node, dict):
        return {
            name: redact(value) if name == "text" and isinstance(value, str) else redacted(value, redact)
            for name, value in node.items()
        }
    return [redacted(item, redact) for item in node] if isinstance(node, list) else node


def _first_post(row: MessageRow, content: Content) -> bool:
    """Whether this post may mention the on-call."""
    if row.ts or row.sent_at is not None:
        # One that stood before and was deleted by a person has mentioned the on-call.
        return False
    if isinstance(content, WithheldContent):
        return not content.posted_before and not _comes_out_of_storm(content.original, content.wanted_at)
    return not _comes_out_of_storm(content, row.created_at)


FROM_STORM = timedelta(seconds=30)


def _comes_out_of_storm(content: Content, wanted_at: datetime) -> bool:
    """Such a card is posted late; the storm's own card has mentioned the on-call."""
    return isinstance(content, CardContent) and wanted_at - content.group.opened_at > FROM_STORM


def _is_for_mention(row: MessageRow, content: Content) -> bool:
    """Whether it stands for its mention alone: a line into a storm's thread, the notice about one that calls somebody."""
    if isinstance(content, RaisedContent):
        return content.in_storm and bool(content.services_notified_before)
    return isinstance(content, WithheldContent) and isinstance(content.original, LineContent | RenewedContent) and not row.ts


def rendered(content: Content, view: ViewContext) -> Rendered:
    """The content by the view of its kind."""
    match content:
        case CardContent():
            return card.render(content, view)
        case IncidentContent():
            return incident_card.render(content, view)
        case StormContent():
            return storm.render(content, view)
        case BacklogContent():
            return backlog.render(content, view)
        case TriageContent():
            return triage.render(content, view)
        case ProposalContent():
            return proposal.render(content, view)
        case PolicyContent():
            return policy.render(content)
        case AnswerContent():
            return answer.render(content, view)
        case PostmortemContent():
            return postmortem.render(content, view)
        case CauseContent():
            return cause.render(content, view)
        case RenewedContent():
            return line.render_renewed(content, view)
        case LineContent():
            return line.render(content, view)
        case WithheldContent():
            return withheld.render(content, view)
    raise TypeError(f"no view renders {type(content).__name__}")
