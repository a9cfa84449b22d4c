"""Silences: what a person mutes for a time, by labels that must be equal; and what one would have muted lately."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.actor import Visibility
from bot.core.alert import Severity
from bot.core.config.fields import parse_duration
from bot.core.errors import NotFound
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import TYPED_QUOTES, counted, one_line

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=12)
PREVIEWED = timedelta(days=1)
"""So much of the past a preview compares with."""
MAX_MATCHERS, MAX_VALUE = 20, 500
MAX_PREVIEWED = 20_000
"""Alerts that a preview reads, the newest: a storm of more is not read whole."""
SHOWN = 6
SYNTAX = "write label=value, for example alertname=HighErrorRate service=checkout"
_QUOTES = "".join(map(chr, TYPED_QUOTES))
_TOKEN = re.compile(rf'\s*([A-Za-z_][\w.:/-]*)=(?:"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"|([^\s"{_QUOTES}]+))\s*', re.ASCII)
_ESCAPED = re.compile(r'\\(["\\])')
_NEEDS_QUOTES = re.compile(rf'^~|[\s"{_QUOTES}]')
_NAME, _SERVICE, _SOURCE = "alertname", "service", "source"


def parse_matchers(text: str) -> dict[str, str]:
    r"""`alertname=HighErrorRate service="check out"` as labels and their values; `\"` and `\\` within quotes are a quote and a
    backslash. Raises NotFound with what cannot be read.
    """
    matchers: dict[str, str] = {}
    rest = text.strip()
    while rest:
        # Only where they stand for plain ones: within plain quotes they are part of the value.
        token = _TOKEN.match(rest) or _TOKEN.match(rest.translate(TYPED_QUOTES))
        if token is None or (token[3] or "").startswith("~"):
            raise NotFound(f"{one_line(rest, 60)} is no condition: {SYNTAX}. Patterns are not offered.")
        name, quoted, word = token.groups()
        if name in matchers:
            raise NotFound(f"{name} is named twice: an alert has one value of it.")
        matchers[name] = (_ESCAPED.sub(r"\1", quoted) if quoted is not None else word)[:MAX_VALUE]
        rest = rest[token.end() :]
    if not matchers or not all(matchers.values()) or len(matchers) > MAX_MATCHERS:
        raise NotFound(f"Say which alerts: {SYNTAX}, 1 to {MAX_MATCHERS} of them, each with a value.")
    return matchers


def matchers_text(matchers: Mapping[str, str]) -> str:
    """The same as people read and write it; what is typed back means the same."""
    ordered = sorted(matchers.items(), key=lambda one: (one[0] != _NAME, one[0] != _SERVICE, one[0]))
    return " ".join(f"{name}={_quoted(value) if _NEEDS_QUOTES.search(value) else value}" for name, value in ordered)


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def parse_length(text: str) -> timedelta:
    """How long a silence lasts. Raises NotFound."""
    try:
        length = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise NotFound(f"How long is {error}.") from None
    if not SHORTEST <= length <= LONGEST:
        raise NotFound("A silence lasts between 1m and 12h.")
    return length


def matchable(labels: Mapping[str, str], *, name: str, service: str, source: str) -> dict[str, str]:
    """What a silence is compared with: the alert's labels, and its name, service and source as its card shows them."""
    return {**labels, _NAME: name, _SOURCE: source, **({_SERVICE: service} if service else {})}


@dataclass(frozen=True)
class NewSilence:
    """What is to be silenced, before anybody agreed; `owner` is the person who asked."""

    matchers: Mapping[str, str]
    length: timedelta
    owner: str
    reason: str
    service: str = ""
    """Of all that it covers; "" where that is several."""
    proposal: str = ""
    """`AP-3`, where other people approved it."""


@dataclass(frozen=True)
class Silence:
    """A silence in force, `SI-<number>`."""

    number: int
    matchers: Mapping[str, str]
    owner: str
    reason: str
    ends_at: datetime

    @property
    def ref(self) -> str:
        return f"SI-{self.number}"

    @property
    def text(self) -> str:
        """For whoever wonders why an alert is muted; it begins with the reference."""
        return f"{self.ref} of {self.owner} until {date_to_the_minute(self.ends_at)}: {one_line(self.reason, 120)}"

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether every condition holds for these labels, as `matchable` gives them."""
        return covers(self.matchers, labels)


def covers(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every condition holds; no condition covers nothing."""
    return bool(matchers) and all(labels.get(name) == value for name, value in matchers.items())


def silence_of(labels: Mapping[str, str], silences: Iterable[Silence]) -> Silence | None:
    """The silence that mutes an alert: of several the one that lasts longest."""
    covering = [silence for silence in silences if silence.covers(labels)]
    return max(covering, key=lambda silence: (silence.ends_at, silence.number)) if covering else None


# ---------------------------------------------------------------- what it would have muted


@dataclass(frozen=True)
class PastAlert:
    """A stored alert as a preview compares it."""

    name: str
    service: str
    source: str
    fingerprint: str
    labels: Mapping[str, str]
    severity: Severity
    group: int | None
    """Of which card it is; None for what was muted anyway."""
    belongs_to: Visibility | None = None
    """Who reads that card."""

    @property
    def matchable(self) -> dict[str, str]:
        return matchable(self.labels, name=self.name, service=self.service, source=self.source)


@dataclass(frozen=True)
class Preview:
    """What a silence would have muted over the last day, of all alerts that were stored then."""

    compared: int
    alerts: Sequence[tuple[str, str, int]] = ()
    """Name, service, how often it fired; the most frequent first."""
    signals: int = 0
    """How many different alerts that are."""
    services: Sequence[str] = ()
    cards: Sequence[int] = ()
    """Groups of which nothing would have been left."""
    worst: Severity = Severity.NONE
    truncated: bool = False
    unnamed: int = 0
    """Further alerts, of which whoever reads this may not learn more."""

    @property
    def text(self) -> str:
        """In lines, the answer first. Of stored facts alone: the same preview made later reads the same."""
        of = f"{counted(self.compared, 'alert')}{', of which the newest were read' if self.truncated else ''}"
        if not self.alerts and not self.unnamed:
            return f"No alert of the last day matches (of {of}): check the spelling, or it is new."
        total = sum(count for *_, count in self.alerts) + self.unnamed
        lines = [f"Over the last day it would have muted {total:,} of {of}, the worst {self.worst}:"]
        lines += [f"- {_alert_text(name, service)}: {count:,}" for name, service, count in self.alerts[:SHOWN]]
        if more := len(self.alerts) - SHOWN:
            lines += [f"- and {counted(more, 'more alert name')}"] if more > 0 else []
        lines += [f"- {counted(self.unnamed, 'alert')} of channels that are not read here"] if self.unnamed else []
        if not self.cards:
            return "\n".join([*lines, "Every card would have stood all the same: other alerts are on it."])
        listed = ", ".join(f"AL-{number}" for number in self.cards[:SHOWN]) + (" ..." if len(self.cards) > SHOWN else "")
        return "\n".join([*lines, f"{counted(len(self.cards), 'card')} would not have been posted: {listed}."])

    def exact(self, matchers: Mapping[str, str]) -> bool:
        """Whether it is one alert and what it is about, and nothing else; a wider silence needs a second person."""
        return _NAME in matchers and len(matchers) > 1 and self.signals <= 1 and not self.truncated and not self.unnamed


def preview(
    matchers: Mapping[str, str],
    alerts: Iterable[PastAlert],
    *,
    compared: int,
    sizes: Mapping[int, int],
    truncated: bool = False,
    hidden: Callable[[PastAlert], bool] = lambda _: False,
) -> Preview:
    """Compare a silence with stored alerts, of `compared` in all; `sizes`: how many alerts each of their groups has.

    What is `hidden` is counted and not named.
    """
    covered = [alert for alert in alerts if covers(matchers, alert.matchable)]
    muted = [alert for alert in covered if not hidden(alert)]
    times = Counter((alert.name, alert.service) for alert in muted)
    leaving = Counter(alert.group for alert in muted if alert.group is not None)
    return Preview(
        compared=compared,
        alerts=[(*key, count) for key, count in sorted(times.items(), key=lambda one: (-one[1], one[0]))],
        signals=len({(alert.source, alert.fingerprint) for alert in muted}),
        services=sorted({alert.service for alert in muted}),
        cards=sorted(group for group, count in leaving.items() if sizes.get(group) == count),
        worst=min((alert.severity for alert in muted), key=lambda severity: severity.rank, default=Severity.NONE),
        truncated=truncated,
        unnamed=len(covered) - len(muted),
    )


def _alert_text(name: str, service: str) -> str:
    return f"{one_line(name, 80)} on {one_line(service, 60)}" if service else one_line(name, 80)
