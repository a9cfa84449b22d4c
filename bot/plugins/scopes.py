"""What a source may speak of: alerts, changes or both, and which services. Whoever holds its token can do no more than that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.core.text.untrusted import one_line
from bot.plugins.sources import ParsedBody, Rejected, Source

T = TypeVar("T")
SERVICE = "service"
"""The field of what was set aside because of its service."""


def takes(config: SourceConfig, kind: Source) -> frozenset[str]:
    """Which endpoints are open to a source: those of its kind, unless the configuration says fewer."""
    return kind.takes & frozenset(config.takes) if config.takes else kind.takes


def undeclared(sources: Mapping[str, SourceConfig], kinds: Mapping[str, Source]) -> list[str]:
    """Sources that may send alerts and changes only because nobody said less: a vendor's kind takes what it is for."""
    both = {name for name, config in sources.items() if {"alerts", "changes"} <= kinds[config.kind].takes}
    return [name for name in sources if name in both and not sources[name].takes]


def scope_notices(sources: Mapping[str, SourceConfig], kinds: Mapping[str, Source]) -> list[str]:
    """A line for whoever keeps tocsin.yaml about each of these."""
    return [
        f"sources.{name}: whoever holds its token can open an incident and report the version to roll back to; "
        "say what it is for: `takes: [alerts]` or `takes: [changes]`"
        for name in undeclared(sources, kinds)
    ]


@dataclass(frozen=True)
class Scopes:
    """Holds each source to the services of its configuration."""

    service_of: Callable[[Mapping[str, str]], str] = lambda _: ""
    """The service that an alert's labels belong to; "" if they name none."""
    is_heartbeat: Callable[[str], bool] = lambda _: False
    """Whether an alert of this name always fires: it speaks of the sender itself."""

    def within(self, parsed: ParsedBody, config: SourceConfig) -> ParsedBody:
        """What of a body its source may say; everything else is set aside with the reason."""
        if not config.services:
            return parsed
        fits = [self._fits(alert, config) for alert in parsed.alerts]
        changes = [change for change in parsed.changes if change.service in config.services]
        return replace(
            parsed,
            alerts=_only(parsed.alerts, fits),
            digests=_only(parsed.digests, fits),
            changes=tuple(changes),
            rejected=(*parsed.rejected, *self._out_of_scope(parsed, fits, config)),
        )

    def _fits(self, alert: Alert, config: SourceConfig) -> bool:
        return self.service_of(alert.labels) in config.services or self.is_heartbeat(alert.name)

    def _out_of_scope(self, parsed: ParsedBody, fits: Sequence[bool], config: SourceConfig) -> Iterator[Rejected]:
        for alert, fitting in zip(parsed.alerts, fits, strict=True):
            if not fitting:
                yield _rejected(alert, self.service_of(alert.labels))
        for change in parsed.changes:
            if change.service not in config.services:
                yield _rejected(change, change.service)


def _only(items: Sequence[T], fits: Sequence[bool]) -> tuple[T, ...]:
    return tuple(item for item, fitting in zip(items, fits, strict=False) if fitting)


def _rejected(item: Alert | Change, service: str) -> Rejected:
    problem = f"this source may not send {one_line(service, 80)!r}" if service else "this source has to name its service"
    return Rejected(SERVICE, f"{problem} (its `services` in tocsin.yaml)", item.model_dump_json().encode())


ANY = Scopes()
"""For those without a catalogue."""
