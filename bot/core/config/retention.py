"""How long the database keeps what is over."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from bot.core.config.fields import ConfigSection, Duration

SHORTEST = timedelta(days=1)
"""Repeats and replays of the last hours rest on what is stored: nothing younger is ever deleted."""


def _long_enough(duration: timedelta) -> timedelta:
    if duration < SHORTEST:
        raise ValueError("at least 1d: what happened within a day is needed by the work itself")
    return duration


Age = Annotated[Duration, AfterValidator(_long_enough)]


class Retention(ConfigSection):
    """Older than this is deleted, unless it is still open."""

    deliveries: Age = timedelta(days=2)
    """Alerts as they were delivered, once they are sorted: each stands in its episode by then."""
    alerts: Age = timedelta(days=30)
    """Alerts in no group (muted or informational), bodies that could not be read, pages that are over."""
    incidents: Age = timedelta(days=400)
    """Resolved groups and incidents with all that belongs to them, messages, and changes."""
    audit: Age = timedelta(days=1825)
    """The audit trail; what is cut off is noted in it, so that the rest can still be verified."""
    journal: Age = timedelta(days=2)
    """Workflows that ended; those of ticks for an hour."""

    @model_validator(mode="after")
    def _audited(self) -> Self:
        if self.audit < self.incidents:
            raise ValueError("retention.audit is shorter than retention.incidents: approvals are checked against the audit")
        return self
