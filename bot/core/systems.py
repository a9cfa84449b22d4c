"""Records of other systems: code hosts, model registries, MCP servers and runbooks. Their text is untrusted."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict


class AlertRule(TypedDict, total=False):
    """An alerting rule of Prometheus."""

    name: str
    query: str
    labels: Mapping[str, object]
    annotations: Mapping[str, object]
    duration: float
    """Seconds for which the condition must hold: `for`."""


@dataclass(frozen=True)
class MetricDescription:
    """What an exporter says of a metric: untrusted text."""

    type: str = ""
    unit: str = ""
    help: str = ""


@dataclass(frozen=True)
class Commit:
    """One commit; message and author are untrusted text."""

    sha: str
    at: datetime
    title: str
    """First line of the message."""
    author: str = ""
    link: str = ""


@dataclass(frozen=True)
class FileChange:
    """One file between two versions."""

    path: str
    added: int
    removed: int
    status: str = "modified"
    patch: str = ""
    """Its hunks as a unified diff; "" where the host sends none (a binary or a very large file). Untrusted text."""


@dataclass(frozen=True)
class CommitFiles:
    """The files of one commit with their patches."""

    files: tuple[FileChange, ...] = ()
    whole: bool = True
    """False where the host listed only some of them."""


@dataclass(frozen=True)
class Comparison:
    """What `head` has that `base` has not; `total` counts commits beyond those that are listed.

    Where `head` is the older of the two, as in a rollback, `total` is 0 and commits and files are those taken back.
    """

    base: str
    head: str
    total: int
    commits: tuple[Commit, ...] = ()
    files: tuple[FileChange, ...] = ()
    link: str = ""
    behind: int = 0
    """Commits of `base` that `head` has not."""
    files_whole: bool = True
    """False where the host listed only some of the files."""


SERVING_ALIASES = ("champion", "production", "prod", "live", "serving")
"""Names under which teams serve a version; the first that is set counts. Case does not matter."""
SERVING_STAGE = "production"


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model."""

    model: str
    version: str
    registered_at: datetime
    updated_at: datetime
    """When its stage or description was edited last."""
    aliases: tuple[str, ...] = ()
    stage: str = ""
    status: str = ""
    run: str = ""
    link: str = ""

    @property
    def serves_as(self) -> str:
        """The alias or stage under which it serves; "" if it does not."""
        by_folded = {alias.casefold(): alias for alias in self.aliases}
        serving = next((by_folded[alias] for alias in SERVING_ALIASES if alias in by_folded), "")
        return serving or (self.stage if self.stage.casefold() == SERVING_STAGE else "")

    @property
    def since(self) -> datetime:
        """The earliest moment at which it can have served: exact by stage; by alias no earlier than its registration."""
        by_alias = any(alias.casefold() in SERVING_ALIASES for alias in self.aliases)
        return self.registered_at if by_alias else self.updated_at


@dataclass(frozen=True)
class RemoteTool:
    """Its name, and what the server says of it: untrusted text."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments."""
    reads_only: bool = False
    destroys: bool = False
    """As the server itself marks it; by default neither."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex of all that a model reads of it, as JSON in one order: what a configuration pins."""
        fields = {"name": self.name, "description": self.description, "schema": self.schema}
        return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Withheld(StrEnum):
    """Why a tool of a server is not offered."""

    UNLISTED = "the configuration does not list it"
    DESTRUCTIVE = "it calls itself destructive"
    WRITES = "it is not marked as read-only, and `tools` does not list it"
    CHANGED = "its description or its arguments changed since it was pinned"
    UNPINNED = "it has no pin"


@dataclass(frozen=True)
class Listing:
    """What the configuration says of a server's tools."""

    tools: Collection[str] = ()
    """Those that may be called, whatever the server marks them as."""
    if_reading: Collection[str] = ()
    """Those that may be called as long as the server marks them as read-only."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """Tool -> its digest; none is offered without."""

    def reason_against(self, tool: RemoteTool) -> Withheld | None:
        """Why this tool is not offered; None where it is."""
        if tool.name not in {*self.tools, *self.if_reading, *self.pins}:
            return Withheld.UNLISTED
        if tool.destroys:
            return Withheld.DESTRUCTIVE
        if tool.name not in self.tools and not tool.reads_only:
            return Withheld.WRITES
        if tool.name not in self.pins:
            return Withheld.UNPINNED
        return Withheld.CHANGED if self.pins[tool.name] != tool.digest else None


@dataclass(frozen=True)
class ToolOffer:
    """What a server offers now, and why its other tools are not offered."""

    tools: tuple[RemoteTool, ...]
    withheld: Mapping[str, Withheld] = field(default_factory=dict)

    @property
    def missed(self) -> Mapping[str, Withheld]:
        """Of those that are not offered the ones that the configuration counts on."""
        return {name: why for name, why in self.withheld.items() if why is not Withheld.UNLISTED}


def offer_of(tools: Iterable[RemoteTool], listing: Listing) -> ToolOffer:
    """Those that the configuration lists and nothing speaks against. Of one name all are offered or none."""
    candidates = tuple(tools)
    reasons = ((tool.name, listing.reason_against(tool)) for tool in candidates)
    withheld = {name: why for name, why in reasons if why is not None}
    return ToolOffer(tuple(tool for tool in candidates if tool.name not in withheld), withheld)


@dataclass(frozen=True)
class RunbookHit:
    """A runbook that may fit: its id, title, the passage, and how well it fits (0..1)."""

    id: str
    title: str
    passage: str
    similarity: float
    link: str = ""
