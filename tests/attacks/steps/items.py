"""The items as they stand in the file, typed; what they mean is in the modules that play them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
KINDS = ("approval_steps", "laundering", "records", "clock")
"""Each stands in a file of its name."""
_ITEM = frozenset(("id", "of", "technique", "about", "needs", "given", "steps", "expect", "twin", "twin_expect"))
_STEP = frozenset(("actor", "act", "object", "args", "as", "with", "at"))
_GIVEN = frozenset(("config", "roles", "replicas", "slack", "sockets"))


class Unplayable(Exception):
    """A step that cannot be played as it is written: an error, and an error fails the item."""


@dataclass(frozen=True)
class Step:
    """One step. `label` is what `as` says."""

    actor: str
    act: str
    object: str = ""
    args: Json = field(default_factory=dict)
    label: str = ""
    group: str = ""
    at: str = "A"
    everywhere: bool = True
    """No replica was named."""


@dataclass(frozen=True)
class Given:
    """What holds in both worlds of an item."""

    config: Json = field(default_factory=dict)
    roles: Json = field(default_factory=dict)
    replicas: int = 1
    slack: str = "http"
    sockets: int = 1


@dataclass(frozen=True)
class Item:
    """One item: two plays, each with its checks."""

    id: str
    technique: str
    about: str
    needs: tuple[str, ...]
    given: Given
    steps: tuple[Step, ...]
    expect: tuple[Json, ...]
    twin: tuple[Step, ...]
    twin_expect: tuple[Json, ...]


def read_items(data: Path, kind: str = KINDS[0]) -> list[Item]:
    """The items of a file, or of a kind's file in a folder. Raises Unplayable for a key that is not of the form."""
    path = data / f"{kind}.jsonl" if data.is_dir() else data
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [item_of(json.loads(line)) for line in lines if line.strip()]


def item_of(raw: Json) -> Item:
    """One item from its JSON."""
    _known(raw, _ITEM, str(raw.get("id")))
    given = raw.get("given", {})
    _known(given, _GIVEN, "given")
    return Item(
        id=raw["id"],
        technique=raw["technique"],
        about=raw["about"],
        needs=tuple(raw.get("needs", ())),
        given=Given(**given),
        steps=tuple(map(_step, raw["steps"])),
        expect=tuple(raw["expect"]),
        twin=tuple(map(_step, raw["twin"])),
        twin_expect=tuple(raw["twin_expect"]),
    )


def _step(raw: Json) -> Step:
    _known(raw, _STEP, str(raw.get("act")))
    return Step(
        actor=raw["actor"],
        act=raw["act"],
        object=raw.get("object", ""),
        args=raw.get("args", {}),
        label=raw.get("as", ""),
        group=raw.get("with", ""),
        at=raw.get("at", "A"),
        everywhere="at" not in raw,
    )


def _known(raw: Json, names: frozenset[str], where: str) -> None:
    if unknown := raw.keys() - names:
        raise Unplayable(f"{where}: unknown {', '.join(sorted(unknown))}")


def grouped(steps: tuple[Step, ...]) -> Iterator[list[Step]]:
    """Steps in their order; neighbours of the same group together."""
    group: list[Step] = []
    for step in steps:
        if group and (not step.group or step.group != group[0].group):
            yield group
            group = []
        group.append(step)
    if group:
        yield group
