"""Where alerts come from, and what mutes them."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from bot.core.config.fields import ConfigSection, Duration, Matchers, Period


class SourceConfig(ConfigSection):
    kind: str
    """A file of bot/sources, e.g. `alertmanager`, `generic`; for changes `generic` or `github`."""
    options: dict[str, Any] = Field(default_factory=dict)


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
