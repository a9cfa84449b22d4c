"""One check of the set-up: its result and, if that is not good, what to do."""

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "failed", "not set up"]


@dataclass(frozen=True)
class Check:
    """`advice` says what to do; it may stand beside "ok" and "not set up" too."""

    name: str
    state: CheckState
    result: str
    advice: str = ""


def ok(name: str, result: str, advice: str = "") -> Check:
    return Check(name, "ok", result, advice)


def failed(name: str, result: str, advice: str) -> Check:
    return Check(name, "failed", result, advice)


def absent(name: str, advice: str) -> Check:
    """Something optional that nobody configured: no failure."""
    return Check(name, "not set up", "", advice)
