"""What an alert group deserves: an incident, an investigation, a mention of the on-call."""

from dataclasses import dataclass

from bot.core.alert import Severity
from bot.core.config import Config


def deserves_incident(severity: Severity, config: Config) -> bool:
    """Whether policy declares an incident of a group this bad."""
    return severity.at_least(Severity(config.incident_from))


def deserves_investigation(severity: Severity, config: Config) -> bool:
    """Whether the causes of a group this bad are looked for beyond its first facts."""
    return severity.at_least(Severity(config.triage_from))


@dataclass(frozen=True)
class Escalation:
    """What follows from a worse alert in an open group."""

    mention: bool
    incident: bool
    investigation: bool
    """Its causes were not worth looking for before."""


def escalation(before: Severity, alert: Severity, *, has_incident: bool, mentioned: bool, config: Config) -> Escalation | None:
    """What a further alert changes in a group of severity `before`; None where it is no worse."""
    if not alert.worse_than(before):
        return None
    deserving = deserves_incident(alert, config)
    return Escalation(
        mention=deserving and not mentioned,
        incident=deserving and not has_incident,
        investigation=deserves_investigation(alert, config) and not deserves_investigation(before, config),
    )


def mention_needs_line(*, posted: bool, attempted: bool) -> bool:
    """Whether the on-call has to be mentioned in a line of its own.

    A card that is not posted yet mentions them itself; an edit of a posted card notifies nobody.
    """
    return posted or attempted
