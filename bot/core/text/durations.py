"""Lengths of time as text for people. They differ in how exact they are, so each says what it cuts off or rounds."""

from datetime import datetime, timedelta

UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
"""Units in which durations are written in tocsin.yaml and in PromQL."""


def duration_text(length: timedelta) -> str:
    """`40 s`, `12 min`, `3 h`: whole units only, cut off, a larger unit from two of it on. The sign is dropped."""
    seconds = abs(int(length.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def age_text(at: datetime, onset: datetime, *, of: str = "onset") -> str:
    """`40 s before onset`, `12 min before onset`, `at onset`, `3 min after onset`: between whole seconds, as both are shown.

    `of`: what began then.
    """
    age = onset.replace(microsecond=0) - at.replace(microsecond=0)
    seconds = int(age.total_seconds())
    if abs(seconds) < 2:
        return f"at {of}"
    return f"{duration_text(age)} {'before' if seconds > 0 else 'after'} {of}"


def elapsed_text(length: timedelta) -> str:
    """`42 s`, `17 min`, `3 h 5 min`: cut off, a larger unit from two of it on."""
    seconds = max(0, int(length.total_seconds()))
    return _hours_and_minutes(seconds) if seconds >= 7200 else duration_text(timedelta(seconds=seconds))


def decimal_minutes(seconds: float) -> str:
    """`4.5 min`, or whole seconds below one minute."""
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{max(1, round(seconds))} s"


def minutes_text(minutes: float) -> str:
    """`30 min` or `6 h`."""
    return f"{minutes / 60:g} h" if minutes >= 120 else f"{minutes:g} min"


def _hours_and_minutes(seconds: int) -> str:
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
