"""A change to one service, as the shop's pipeline reports it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["deploy", "config", "flag", "model"]


def iso(at: float) -> str:
    """Unix seconds as ISO 8601 with milliseconds and Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class WorldChange:
    """One deploy, config edit, flag flip or model version; `at` in Unix seconds."""

    id: str
    at: float
    service: str
    kind: Kind
    title: str
    author: str
    version: str = ""
    previous_version: str = ""
    flag: str = ""

    def as_json(self, base_url: str) -> dict[str, str]:
        """The generic JSON form of a change; empty fields are left out."""
        fields = {
            "id": self.id,
            "at": iso(self.at),
            "service": self.service,
            "kind": self.kind,
            "title": self.title,
            "author": self.author,
            "version": self.version,
            "previous_version": self.previous_version,
            "link": f"{base_url}/world/changes/{self.id}",
        }
        return {key: value for key, value in fields.items() if value}
