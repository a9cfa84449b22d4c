"""What an alert source is: a function that turns one body into alerts and changes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.plugins.signatures import Proof, Signature


class Rejected(msgspec.Struct, frozen=True):
    """One item of a body that could not be read, with its own bytes: kept aside, the others go on."""

    field: str
    problem: str
    body: bytes


class ParsedBody(msgspec.Struct, frozen=True):
    """What a body held: alerts, changes, or both. `truncated` counts what the source itself left out.

    One is made for every request: a frozen dataclass takes ten times as long to make.
    """

    alerts: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = ()
    truncated: int = 0
    rejected: tuple[Rejected, ...] = ()
    ignored: int = 0
    """Events that are no alert and no change, such as a note on an incident."""
    warnings: tuple[str, ...] = ()
    """What was understood only in part, in words for whoever set up the sender."""
    confirm_url: str = ""
    """An address to open once, by which the sender makes sure that its messages are wanted; of the sender's own host."""
    repeats: tuple[int, ...] = ()
    """Numbers of stored alerts that it delivers again, in the very same bytes."""
    digests: tuple[bytes, ...] = ()
    """One for each alert: by which `SourceRequest.stored` finds it from now on; empty for one that it must not find."""


def _nothing_stored(_digest: bytes) -> int | None:
    return None


class SourceRequest(msgspec.Struct, frozen=True):
    """One authenticated body: already decompressed and within the limits, not yet parsed."""

    source: str
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    config: SourceConfig
    endpoint: str = "alerts"
    """Which endpoint took it: "alerts" or "changes"."""
    stored: Callable[[bytes], int | None] = _nothing_stored
    """The number of the stored alert of this digest, if it is remembered: the source need not read it again."""


@dataclass(frozen=True)
class Source:
    """`read` turns a body into alerts and changes; raises `UnreadableBody` with the field."""

    name: str
    read: Callable[[SourceRequest], ParsedBody]
    takes: frozenset[str]
    """Which endpoints: "alerts", "changes"; or "slack": what other bots post in a channel."""
    signatures: tuple[Signature, ...] = ()
    """The vendor's own proofs, each accepted in place of the bearer token."""
    proof: Proof | None = None
    """One that needs no secret; where it holds, none has to be set up."""
    needs: tuple[str, ...] = ()
    """Options without which it can do nothing, e.g. `channel`."""
    options: frozenset[str] | None = None
    """Every option that it reads: any other is an error of the configuration. None: not known."""

    @property
    def needs_token(self) -> bool:
        """Whether it takes nothing until a secret is set."""
        return self.proof is None and bool(self.takes & {"alerts", "changes"})


def source(
    name: str,
    *,
    takes: Iterable[str] = ("alerts",),
    signatures: Iterable[Signature] = (),
    proof: Proof | None = None,
    needs: Iterable[str] = (),
    options: Iterable[str] | None = None,
) -> Callable[..., Source]:
    """Register a function `(SourceRequest) -> ParsedBody` as a source."""
    return lambda read: Source(
        name=name,
        read=read,
        takes=frozenset(takes),
        signatures=tuple(signatures),
        proof=proof,
        needs=tuple(needs),
        options=None if options is None else frozenset(options),
    )
