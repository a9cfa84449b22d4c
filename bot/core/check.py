"""One check of the set-up: what was found and, if it is not well, what to do."""

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "failed", "not set up"]


@dataclass(frozen=True)
class Check:
    """`advice` says what to do; it may stand beside "ok" and "not set up" too."""

    name: str
    state: CheckState
    found: str
    advice: str = ""


def ok(name: str, found: str, advice: str = "") -> Check:
    return Check(name, "ok", found, advice)


def failed(name: str, found: str, advice: str) -> Check:
    return Check(name, "failed", found, advice)


def absent(name: str, advice: str) -> Check:
    """Something optional that nobody configured: no failure."""
    return Check(name, "not set up", "", advice)
