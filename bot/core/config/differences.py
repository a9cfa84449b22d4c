"""What differs between two configurations, and which of that a running process cannot take over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.config import Config

LIVE = frozenset(
    {
        "sources", "people", "services", "default_on_call", "severities", "triage_from", "incident_from", "heartbeats",
        "heartbeat_every",
        "maintenance", "inhibitions", "thresholds", "approvers", "solo", "break_glass", "autonomy", "standing_approvals",
        "actions", "plans", "freezes", "limits",
        "heartbeat_url", "close_after",
        "budget", "retention", "audit",
    }
)  # fmt: skip
"""Keys that are read at each use. Any other key is built into clients and plugins at the start."""
BUILT_IN_OF_SERVICES = ("known_as", "deployment")
"""Parts of a service that the readers of other systems were made with."""


@dataclass(frozen=True)
class ConfigChange:
    """One difference: `services.checkout.owners changed`, `sources.gitlab added`."""

    path: tuple[str, ...]
    how: Literal["added", "removed", "changed"]
    needs_restart: bool

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def text(self) -> str:
        return f"{self.key} {self.how}"


def changes_between(before: Config, after: Config) -> tuple[ConfigChange, ...]:
    """Every difference, in the order of the file's parts; of mappings each entry, and what changed in it."""
    return tuple(
        change
        for name in Config.model_fields
        if (old := getattr(before, name)) != (new := getattr(after, name))
        for change in (_entries(name, old, new) if isinstance(old, Mapping) else [_changed((name,))])
    )


def _entries(name: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[ConfigChange]:
    for key in dict.fromkeys([*before, *after]):
        if key not in before or key not in after:
            entry = before.get(key) or after.get(key)
            built_in = name == "services" and _has_built_in_parts(entry)
            how: Literal["added", "removed"] = "added" if key in after else "removed"
            yield ConfigChange((name, key), how, needs_restart=name not in LIVE or built_in)
        elif before[key] != after[key]:
            yield from _fields((name, key), _parts(before[key]), _parts(after[key]))


def _fields(path: tuple[str, ...], before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[ConfigChange]:
    differing = [field for field in before if before[field] != after[field]]
    yield from (_changed((*path, field)) for field in differing) if differing else [_changed(path)]


def _changed(path: tuple[str, ...]) -> ConfigChange:
    built_in = path[0] == "services" and path[-1] in BUILT_IN_OF_SERVICES
    return ConfigChange(path, "changed", needs_restart=path[0] not in LIVE or built_in)


def _has_built_in_parts(service: object) -> bool:
    return any(any(_parts(_parts(service).get(part)).values()) for part in BUILT_IN_OF_SERVICES)


def _parts(entry: object) -> Mapping[str, object]:
    """The fields of a section, or the entries of a mapping; nothing for a plain value."""
    return entry if isinstance(entry, Mapping) else dict(vars(entry)) if hasattr(entry, "__dict__") else {}
