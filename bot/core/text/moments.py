"""Moments as text, always in UTC: times of day for people, dates where the day is not obvious, ISO 8601 for machines."""

from datetime import UTC, datetime


def clock(at: datetime) -> str:
    """`14:02:15 UTC`."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def clock_of_day(at: datetime, now: datetime) -> str:
    """`14:02:15 UTC`; `2026-01-05 14:02:15 UTC` where that is not the day of `now`."""
    return clock(at) if day(at) == day(now) else f"{date_and_clock(at)} UTC"


def minute_of_day(at: datetime, now: datetime) -> str:
    """`14:02 UTC`; `2026-01-05 14:02 UTC` where that is not the day of `now`."""
    return clock_to_the_minute(at) if day(at) == day(now) else date_to_the_minute(at)


def clock_of_onset(at: datetime, not_before: datetime | None) -> str:
    """`at 14:02:15 UTC`; `between 14:01:10 and 14:02:15 UTC` where nothing was measured from `not_before` until then."""
    return f"between {not_before.astimezone(UTC):%H:%M:%S} and {clock(at)}" if not_before else f"at {clock(at)}"


def clock_to_the_minute(at: datetime) -> str:
    """`14:02 UTC`."""
    return f"{at.astimezone(UTC):%H:%M} UTC"


def date_and_clock(at: datetime) -> str:
    """`2026-01-05 14:02:15`: for lists whose heading names the zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def date_to_the_minute(at: datetime) -> str:
    """`2026-01-05 14:02 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(at: datetime) -> str:
    """`2026-01-05`, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def iso_utc(at: datetime, timespec: str = "seconds") -> str:
    """`2026-01-05T14:02:15Z`; `timespec` as in `datetime.isoformat`."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
