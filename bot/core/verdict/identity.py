"""Which service and which recorded change a model's cause means; one that nobody knows is refused."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Hypothesis
from bot.core.text.untrusted import one_line
from bot.core.verdict.contradiction import KINDS_OF_CHANGE, known_services
from bot.core.verdict.measured import Measured

_AFTER_NAME = re.compile(r"[\s_-]*(?:service|svc|deployment|app|pods?)$", re.I)
_MIN_TITLE, _MIN_ID = 8, 6
"""Shorter titles, and shorter ids without their source, occur in other sentences by chance."""


@dataclass(frozen=True)
class Identified:
    """A cause with its service and change as they are recorded; or why it is refused."""

    hypothesis: Hypothesis
    refused: str = ""


def identify(hypothesis: Hypothesis, measured: Measured, services: Collection[str] = ()) -> Identified:
    """The cause with the names of the inventory and the records. Refused if it names a service or change that neither has.

    A change may be named without its source (`chg-1` for `pipeline:chg-1`), by its version or by its title, where only one
    recorded change of the service is meant. A change belongs to its own service.
    """
    service = _service(hypothesis.service, {*known_services(measured), *services})
    if service is None:
        return Identified(hypothesis, f"nobody knows a service {one_line(hypothesis.service, 60)}")
    hypothesis = hypothesis.model_copy(update={"service": service})
    change = _change(hypothesis, measured)
    if change is None and hypothesis.change_id:
        return Identified(hypothesis, f"nobody recorded a change {one_line(hypothesis.change_id, 60)}")
    if change is None:
        return Identified(hypothesis)
    kind = "change" if hypothesis.kind in ("unknown", "dependency") else hypothesis.kind
    return Identified(hypothesis.model_copy(update={"service": change.service, "change_id": change.id, "kind": kind}))


def _service(name: str, services: Collection[str]) -> str | None:
    """The known service of this name; "" where none is named; None where nobody knows it. Nobody knows any: as it is."""
    plain = name.strip()
    if not plain or not services or plain in services:
        return plain
    by_folded = {service.casefold(): service for service in sorted(services)}
    without = _AFTER_NAME.sub("", plain).strip()
    return by_folded.get(plain.casefold()) or by_folded.get(without.casefold())


def _change(hypothesis: Hypothesis, measured: Measured) -> Change | None:
    """The recorded change that is meant; None where none is, or more than one may be."""
    changes = list(measured.observations.changes.values())
    own = [c for c in changes if hypothesis.service in ("", c.service)]
    if named_id := hypothesis.change_id.strip().casefold():
        exact = [c for c in changes if named_id in (c.id.casefold(), c.id.casefold().partition(":")[2])]
        titled = [
            c for c in own if names_change(named_id, c) or (len(named_id) >= _MIN_TITLE and named_id in c.title.casefold())
        ]
        return _only(exact or titled or [c for c in own if _named(hypothesis.cause, c)])
    if hypothesis.kind not in ("change", "dependency", "unknown"):
        return None
    if named := [c for c in own if _named(hypothesis.cause, c)]:
        return _only(named)
    kinds = {kind for kind, words in KINDS_OF_CHANGE.items() if re.search(words, hypothesis.cause, re.I)}
    if hypothesis.kind != "change":
        # Of a cause that is called no change: only one that may have brought the failure about.
        began = measured.began(hypothesis.service)
        own = [c for c in own if kinds and began and c.at <= began + ONSET_TOLERANCE]
    own = [c for c in own if not kinds or c.kind in kinds]
    claims = " ".join(claim.text for claim in hypothesis.claims)
    suspects = [c for c in _suspects(hypothesis.service, measured) if c in own]
    return _only([c for c in own if _named(claims, c)]) or _only(own) or _only(suspects)


def _suspects(service: str, measured: Measured) -> list[Change]:
    """The change whose version carries the failure of a service, else those just before it."""
    carried = measured.carried_change(service)
    return [carried] if carried else measured.near_changes(service)


def _only(changes: Collection[Change]) -> Change | None:
    return next(iter(changes)) if len(changes) == 1 else None


def changes_named(texts: Iterable[str], changes: Iterable[Change]) -> set[str]:
    """The ids of the changes that a text names by id, title or version."""
    joined = "\n".join(texts)
    return {change.id for change in changes if _named(joined, change)}


def _named(text: str, change: Change) -> bool:
    """By its id, with or without the source before it, by its title or version."""
    folded, id = text.casefold(), change.id.casefold()
    own = id.partition(":")[2]
    return id in folded or (len(own) >= _MIN_ID and own in folded) or names_change(text, change)


def names_change(text: str, change: Change) -> bool:
    """Whether a text names a change by its title or version."""
    folded, title = text.casefold(), change.title.casefold()
    version = re.escape(change.version.casefold().lstrip("v"))
    by_version = bool(change.version) and re.search(rf"(?<![\d.]){version}(?![\d]|\.\d)", folded) is not None
    return (len(title) >= _MIN_TITLE and title in folded) or by_version
