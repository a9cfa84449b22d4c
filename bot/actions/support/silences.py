"""Silences and alerts as Alertmanager's API v2 writes them: read with distrust, described in fixed words."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import one_line


def conditions(matchers: Mapping[str, str]) -> list[str]:
    """`name="value"` each, as a filter of the API takes it, sorted by name."""
    return [f'{name}="{_escaped(value)}"' for name, value in sorted(matchers.items())]


def text_of(matchers: Mapping[str, str]) -> str:
    """`{name="value", ...}`: for people."""
    return "{" + ", ".join(conditions(matchers)) + "}"


def state_of(silence: Mapping[str, object]) -> str:
    """`active`, `pending` or `expired`; "" if the answer has none."""
    status = silence.get("status")
    return str(status.get("state", "")) if isinstance(status, Mapping) else ""


def existing_silence_text(silence: Mapping[str, object]) -> str:
    """In fixed words: a dry run that is made again later must describe the same silence in the same way."""
    by, id = one_line(str(silence.get("createdBy", "")), 60), one_line(str(silence.get("id", "")), 64)
    return f"already silenced until {date_to_the_minute(ends_at(silence))} by {by or 'nobody named'} (silence {id})"


def ends_at(silence: Mapping[str, object]) -> datetime:
    """When it ends; long ago if that cannot be read."""
    try:
        end = datetime.fromisoformat(str(silence.get("endsAt", "")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def alert_names(answer: object) -> list[str]:
    """Name and fingerprint of each alert, sorted."""
    names = set()
    for alert in answer if isinstance(answer, list) else ():
        if isinstance(alert, Mapping) and isinstance(alert.get("labels"), Mapping):
            name = one_line(str(alert["labels"].get("alertname", "alert")), 80)
            names.add(f"{name} {one_line(str(alert.get('fingerprint', '')), 40)}".strip())
    return sorted(names)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
