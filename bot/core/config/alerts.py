"""Where alerts come from, and what mutes them."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from bot.core.config.fields import ConfigSection, Duration, Matchers, Period
from bot.core.payloads.names import AlertField


class SourceFields(ConfigSection):
    """Where a sender's JSON holds what: paths such as `event.labels.team`, or `=text` for a fixed text; "": guessed.

    Paths begin at the alert; where `alerts` names a list of them, at each of its items.
    """

    alerts: str = ""
    name: str = ""
    status: str = ""
    severity: str = ""
    service: str = ""
    summary: str = ""
    starts_at: str = ""
    ends_at: str = ""
    link: str = ""
    expression: str = ""
    fingerprint: str = ""

    def paths(self) -> dict[AlertField, str]:
        """Those that are given."""
        return {field: path for field in AlertField if (path := getattr(self, field.value).strip())}


class SourceConfig(ConfigSection):
    kind: str
    """A file of bot/sources, e.g. `alertmanager`, `generic`; for changes `generic` or `github`."""
    options: dict[str, Any] = Field(default_factory=dict)
    fields: SourceFields = SourceFields()
    """For `generic`: corrects what it understood of the sender's JSON."""
    resolved_words: tuple[str, ...] = ()
    """For `generic`: more words of the sender's that mean it is over."""


class Maintenance(Matchers, Period):
    """Alerts with these labels are muted meanwhile."""


class Inhibition(ConfigSection):
    """Alerts that match `target` are muted while one that matches `source` fires with equal values of `equal`."""

    source: dict[str, str]
    target: dict[str, str]
    equal: tuple[str, ...] = ()


class Threshold(Matchers):
    """Muted until `count` episodes came within `window`."""

    count: int = Field(ge=2)
    window: Duration = timedelta(minutes=10)
