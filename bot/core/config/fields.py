"""Types of single values (durations, moments, addresses, Slack ids), and the bases that sections share."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.core.text.durations import UNIT_SECONDS

_UNITS = {unit: int(UNIT_SECONDS[unit]) for unit in "smhdw"}


def parse_duration(text: object) -> timedelta:
    """`90s`, `5m`, `2h`, `1d`, `1w`, or `1h30m` as a timedelta. Raises ValueError with the accepted forms."""
    if isinstance(text, timedelta):
        return text
    total, number = 0, ""
    for char in str(text).strip().lower():
        if char.isascii() and char.isdigit() and len(number) < 7:
            number += char
        elif char in _UNITS and number:
            total, number = total + int(number) * _UNITS[char], ""
        else:
            break
    else:
        if total and not number:
            return timedelta(seconds=total)
    raise ValueError("not a duration: write for example 90s, 5m, 2h, 1d or 1w")


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("names no time zone: write for example 2026-01-05T09:00:00Z or 2026-01-05T09:00:00+01:00")
    return moment


def reachable(address: str) -> str:
    """An address over HTTP, or none. Raises ValueError with what is wrong with it."""
    if address and not _ADDRESS.match(address):
        raise ValueError("not an address: it begins with http:// or https://, a host behind that")
    if any(char.isspace() for char in address):
        raise ValueError("an address holds no space")
    if not _has_port(address):
        raise ValueError("what stands behind the host's colon is no port: a whole number from 1 to 65535")
    return address


_ADDRESS = re.compile(r"https?://[^/\s]", re.IGNORECASE)


def _has_port(address: str) -> bool:
    """Whether its port is one, or none is named. A template of an action may name it later."""
    try:
        return "{" in address or urlsplit(address).port != 0
    except ValueError:
        return False


def _slack_id(text: str) -> str:
    if text and not _SLACK_ID.fullmatch(text):
        raise ValueError("not an id of Slack: names change, ids do not; copy it (U..., C..., S...) from Slack's own details")
    return text


_SLACK_ID = re.compile(r"[A-Z][\w-]*", re.ASCII)
"""No more is promised of an id; names of channels and people begin with a small letter, # or @."""


def _time_zone(name: str) -> str:
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
        raise ValueError("not a time zone: write for example America/New_York or UTC") from None
    return name


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


Moment = Annotated[datetime, AfterValidator(_with_zone)]


Address = Annotated[str, AfterValidator(reachable)]
"""Of a machine, over HTTP; empty where there is none."""


SlackId = Annotated[str, AfterValidator(_slack_id)]
"""Of a person, channel or user group; empty where there is none."""


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""The name of one as IANA gives it; empty where there is none."""


SeverityLevel = Literal["SEV1", "SEV2", "SEV3", "SEV4", "NONE"]


class ConfigSection(BaseModel):
    """Base of all parts: unknown keys are errors, or a misspelt key would be a silent fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(ConfigSection):
    """A time from `starts` to `ends`, and why."""

    starts: Moment
    ends: Moment
    reason: str

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError("ends before it starts")
        return self


class Matchers(ConfigSection):
    """Labels that must be equal; empty matches nothing."""

    match: dict[str, str] = Field(default_factory=dict)
