"""Silences in the form of Alertmanager's API v2."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox.world.change import iso
from bot.sandbox.world.tables import Labels


class BadSilence(ValueError):
    """A silence that cannot be accepted; the text is the reason."""


@dataclass(frozen=True)
class SilenceMatcher:
    """One condition of a silence."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def accepts(self, labels: Labels) -> bool:
        """True if the label fits; an absent label counts as empty."""
        value = labels.get(self.name, "")
        fits = re.fullmatch(self.value, value) is not None if self.is_regex else value == self.value
        return fits == self.is_equal

    def as_json(self) -> dict[str, Any]:
        """API form."""
        return {"isEqual": self.is_equal, "isRegex": self.is_regex, "name": self.name, "value": self.value}


@dataclass
class Silence:
    """Muting of everything that fits all matchers, between two moments (Unix seconds)."""

    id: str
    matchers: tuple[SilenceMatcher, ...]
    starts: float
    ends: float
    created_by: str
    comment: str
    updated: float

    def state(self, now: float) -> str:
        """pending, active or expired."""
        return "pending" if now < self.starts else "active" if now < self.ends else "expired"

    def mutes(self, labels: Labels, now: float) -> bool:
        """True if it stands now and all matchers fit."""
        return self.state(now) == "active" and all(m.accepts(labels) for m in self.matchers)

    def as_json(self, now: float) -> dict[str, Any]:
        """API form."""
        return {
            "id": self.id,
            "status": {"state": self.state(now)},
            "updatedAt": iso(self.updated),
            "comment": self.comment,
            "createdBy": self.created_by,
            "endsAt": iso(self.ends),
            "matchers": [m.as_json() for m in self.matchers],
            "startsAt": iso(self.starts),
        }


def _moment(body: dict[str, Any], name: str) -> float:
    try:
        return datetime.fromisoformat(str(body[name])).timestamp()
    except (KeyError, ValueError) as error:
        raise BadSilence(f'parsing silence body failed: "{name}" must be a date-time') from error


def _matcher(item: object) -> SilenceMatcher:
    if not isinstance(item, dict) or not item.get("name") or not isinstance(item.get("value"), str):
        raise BadSilence("silence invalid: a matcher needs name and value")
    if item.get("isRegex"):
        try:
            re.compile(item["value"])
        except re.error as error:
            raise BadSilence(f"silence invalid: invalid regular expression: {error}") from error
    return SilenceMatcher(str(item["name"]), item["value"], bool(item.get("isRegex")), item.get("isEqual", True) is not False)


@dataclass
class Silences:
    """All silences."""

    by_id: dict[str, Silence] = field(default_factory=dict)

    def put(self, body: dict[str, Any], now: float) -> str:
        """Create one, or replace the one whose id is given; answers its id. Raises BadSilence."""
        items = body.get("matchers")
        if not isinstance(items, list) or not items:
            raise BadSilence("silence invalid: at least one matcher required")
        matchers = tuple(_matcher(item) for item in items)
        if all(m.accepts({}) for m in matchers):
            raise BadSilence("silence invalid: at least one matcher must not match the empty string")
        starts, ends = max(_moment(body, "startsAt"), now), _moment(body, "endsAt")
        if ends <= starts:
            raise BadSilence("silence invalid: end time must not be in the past")
        if not body.get("createdBy") or not body.get("comment"):
            raise BadSilence("silence invalid: createdBy and comment are required")
        replaced = self.by_id.pop(str(body.get("id") or ""), None)
        silence_id = replaced.id if replaced else str(uuid.uuid4())
        self.by_id[silence_id] = Silence(silence_id, matchers, starts, ends, str(body["createdBy"]), str(body["comment"]), now)
        return silence_id

    def expire(self, silence_id: str, now: float) -> bool:
        """End one now; False if there is none."""
        silence = self.by_id.get(silence_id)
        if silence is None:
            return False
        silence.ends = min(silence.ends, now)
        silence.updated = now
        return True

    def muting(self, labels: Labels, now: float) -> list[str]:
        """Ids of the silences that mute these labels now."""
        return [silence.id for silence in self.by_id.values() if silence.mutes(labels, now)]
