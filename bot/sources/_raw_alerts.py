"""The alerts of a body as bytes: one that was delivered in these very bytes before is stored already and is not read again."""

import hashlib
from collections.abc import Sequence

import msgspec

from bot.plugins import SourceRequest
from bot.sources._parsing import MAX_DEPTH, MAX_ITEMS, too_deep

_FRAME_DEPTH = 2
"""Alerts stand in a list in an object: so much deeper than by themselves."""


class _Body(msgspec.Struct):
    """What Alertmanager's webhook and its siblings share; `alerts` are not parsed."""

    alerts: list[msgspec.Raw]
    groupKey: str = ""
    truncatedAlerts: int = 0


_DECODER = msgspec.json.Decoder(_Body)


class RawAlerts(msgspec.Struct, frozen=True):
    """A body whose frame is sound. `fresh` are the alerts that are not stored yet, with the digest of each."""

    group_key: str
    truncated: int
    repeats: tuple[int, ...]
    """Numbers of the stored alerts that this body delivers again."""
    fresh: Sequence[bytes]
    digests: Sequence[bytes]


def raw_alerts_of(request: SourceRequest) -> RawAlerts | None:
    """The parts of a body; None if anything about it is unusual: then it is read as a whole."""
    try:
        body = _DECODER.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    alerts = [bytes(alert) for alert in body.alerts]
    if not alerts or len(alerts) > MAX_ITEMS or too_deep(_frame(request.body, alerts)):
        return None
    # Under other rules the same bytes are another alert.
    rules = request.config.fingerprint or ""
    key = hashlib.blake2b(f"{request.source}\0{body.groupKey}\0{rules}".encode(), digest_size=16).digest()
    repeats: list[int] = []
    fresh: dict[bytes, bytes] = {}
    for alert in alerts:
        digest = hashlib.blake2b(alert, digest_size=16, key=key).digest()
        number = request.stored(digest)
        if number is not None:
            repeats.append(number)
        elif digest in fresh or too_deep(alert, MAX_DEPTH - _FRAME_DEPTH):
            return None
        else:
            fresh[digest] = alert
    return RawAlerts(body.groupKey, body.truncatedAlerts, tuple(repeats), tuple(fresh.values()), tuple(fresh))


def _frame(body: bytes, alerts: Sequence[bytes]) -> bytes:
    """The body without its alerts: they stand in one piece."""
    first = body.find(alerts[0])
    last = first if len(alerts) == 1 else body.rfind(alerts[-1])
    return body[:first] + body[last + len(alerts[-1]) :]
