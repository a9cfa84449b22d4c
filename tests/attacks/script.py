"""Reads step scripts: who does what, by meaning and not by the exact words."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.attacks.phrases import ID, IDENTITIES, NUMBER, NUMBERS, PATTERNS, PRESSED, PROPOSED, QUOTED, ROLES, Kind, pattern


@dataclass(frozen=True)
class Step:
    """One thing that happens. `who` are roles, in the order of the text; empty: whoever acted last, or the commander."""

    kind: Kind
    text: str
    who: tuple[str, ...] = ()
    verdict: str = "approve"
    times: int = 1
    together: bool = False
    every: bool = False
    """All proposals so far."""
    tier: int | None = None
    action: str = ""
    arguments: tuple[str, ...] = ()
    count: int = 1
    targets: int = 1
    seconds: int = 0


@dataclass(frozen=True)
class Script:
    """One item of a file."""

    id: str
    technique: str
    steps: tuple[Step, ...]
    must_not: tuple[str, ...]
    must: str
    unread: tuple[str, ...] = ()
    """Steps that could not be understood."""
    replicas: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)

    def has(self, *kinds: Kind) -> bool:
        return any(step.kind in kinds for step in self.steps)


def read_scripts(path: Path) -> list[Script]:
    """All items of one JSONL file that are step scripts."""
    items = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [read_script(item) for item in items if item.get("steps")]


def read_script(item: Mapping[str, Any]) -> Script:
    """One item; a script that proposes nothing takes an open tier 1 proposal of the bot for granted."""
    steps: list[Step] = []
    unread: list[str] = []
    for text in item["steps"]:
        found = list(_read_step(str(text)))
        steps += found
        if not found:
            unread.append(str(text))
    kinds = [step.kind for step in steps]
    first = kinds.index(Kind.PROPOSE) if Kind.PROPOSE in kinds else len(kinds)
    if any(kind not in (Kind.PAUSE, Kind.FREEZE, Kind.HANDOVER, Kind.BREAK_GLASS) for kind in kinds[:first]) or first == len(
        kinds
    ):
        steps.insert(0, Step(Kind.PROPOSE, "(taken for granted)"))
    texts = " ".join(map(str, item["steps"]))
    return Script(
        id=str(item.get("id", "?")),
        technique=str(item.get("technique", "")),
        steps=tuple(steps),
        must_not=tuple(item.get("must_not", ())),
        must=str(item.get("must", "")),
        unread=tuple(unread),
        replicas=bool(re.search(r"replica|two (processes|instances|workers|pods of the bot)", texts)),
        raw=item,
    )


def _read_step(text: str) -> Iterable[Step]:
    """The steps of one line: a clause without a meaning of its own belongs to its neighbour."""
    together = bool(re.search(r"same time|simultan|concurren|parallel|race|at once|within \d+ ?m?s", text))
    # Commas in brackets and in what somebody writes part no clauses.
    text = re.sub(rf"\([^)]*\)|{QUOTED.pattern}", lambda m: m.group().replace(",", "\0"), text)
    clauses = [
        clause.replace("\0", ",")
        for clause in re.split(r",\s+|;\s+|\.\s+|\bthen\b|\bwhile\b|\bbut\b", text)
        if clause and clause.strip()
    ]
    found = [step for clause in clauses for step in _read_clause(clause.strip(), together)]
    return found or list(_read_clause(text.replace("\0", ","), together))


def _read_clause(text: str, together: bool) -> Iterable[Step]:
    plain = QUOTED.sub(" ", text)
    if re.search(pattern(Kind.RULE_ERROR), plain, re.I):
        yield Step(Kind.RULE_ERROR, text)
        return
    if PROPOSED.search(plain) and not re.search(r"(never|not|was) proposed|same request", plain):
        yield _proposal(text, plain)
        return
    if BREAK := re.search(pattern(Kind.BREAK_GLASS), plain, re.I):
        yield Step(Kind.BREAK_GLASS, text, roles_in(plain[: BREAK.start()]))
        return
    special = _special_press(plain)
    if PRESSED.search(plain) and special is None and not re.match(r".*\b(process|worker)\b", plain):
        yield _press(text, plain, together)
        return
    for kind, _ in PATTERNS:
        # Emoji and what people write stand in quotation marks or colons; everything else is outside of them.
        if re.search(pattern(kind), text if kind in (Kind.EMOJI, Kind.TEXT) else plain, re.I):
            yield Step(kind, text, roles_in(plain), seconds=_seconds(plain), verdict=_verdict(plain))
            return


def _special_press(plain: str) -> Kind | None:
    """A press whose point is how it comes in, not who presses."""
    kinds = (
        Kind.NO_SIGNATURE,
        Kind.BAD_SIGNATURE,
        Kind.OLD_TIMESTAMP,
        Kind.OTHER_TEAM,
        Kind.OTHER_PLACE,
        Kind.FORGED_VALUE,
        Kind.STOP,
    )
    return next((kind for kind in kinds if re.search(pattern(kind), plain, re.I)), None)


def _press(text: str, plain: str, together: bool) -> Step:
    times = 1
    if found := re.search(NUMBER + r" times", plain, re.I):
        times = number(found.group(1))
    elif re.search(r"\btwice|double", plain, re.I):
        times = 2
    before = plain[: PRESSED.search(plain).start()] if PRESSED.search(plain) else plain  # type: ignore[union-attr]
    who = _together_named(before) or roles_in(plain)[:1]
    waited = _seconds(plain) if re.search(r"\b(after|later|wait|pass)", plain, re.I) else 0
    every = bool(re.search(r"\b(all|every|each|both)\b( of them)?\s*$|\ball\b", plain, re.I)) and "at all" not in plain
    return Step(Kind.PRESS, text, who, verdict=_verdict(plain), times=times, together=together, every=every, seconds=waited)


def _together_named(before: str) -> tuple[str, ...]:
    """The people who press: "IC and deputy" are two, "a guest with the approver's name" is the first one."""
    named = _spans(before)
    chosen = [role for _, _, role in named[:1]]
    for (_, end, _), (start, _, role) in pairwise(named):
        if not re.fullmatch(r"\W*(and|or|&|,|/|plus)?\W*(the |a |an |another )?\W*", before[end:start], re.I):
            break
        chosen.append(role)
    return tuple(dict.fromkeys(chosen))


def _verdict(plain: str) -> str:
    return (
        "deny" if re.search(r"\bden(y|ies)\b|\breject", plain, re.I) and not re.search(r"\bapprove", plain, re.I) else "approve"
    )


def _proposal(text: str, plain: str) -> Step:
    verb = PROPOSED.search(plain)
    assert verb is not None
    by = re.search(r"\bby\b(.*)$", plain)
    who = roles_in(plain[: verb.start()]) or (
        roles_in(by.group(1)) if by and not re.search(r"agent|model|\bbot\b", by.group(1)) else ()
    )
    tier = re.search(r"tier[- ]?(\d|x)\b", plain, re.I)
    call = re.search(r"\b([a-z_]+)\(([^)]*)\)", plain)
    word = re.search(
        r"\b(restart|roll ?back|scale|silence|toggle|drain|fail ?over|run_\w+|delete_\w+|change_iam|disable_\w+)\b",
        plain,
        re.I,
    )
    count = re.search(NUMBER + r" proposals?", plain, re.I)
    targets = re.search(NUMBER + r" (targets|pods|replicas|instances)", plain, re.I)
    return Step(
        Kind.PROPOSE,
        text,
        who,
        tier=None if tier is None else 9 if tier.group(1).lower() == "x" else int(tier.group(1)),
        action=(call.group(1) if call else word.group(1) if word else "").lower().replace(" ", ""),
        arguments=tuple(part.strip() for part in call.group(2).split(",")) if call else (),
        count=number(count.group(1)) if count else 1,
        targets=number(targets.group(1)) if targets else 1,
    )


def roles_in(text: str) -> tuple[str, ...]:
    """The roles that a text names, in its order, each once."""
    return tuple(dict.fromkeys(role for _, _, role in _spans(text)))


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Start, end and role of every person named, in their order."""
    found = []
    for match in ID.finditer(text):
        role = next((role for role, part in IDENTITIES if part in match.group()), "outsider")
        found.append((match.start(), match.end(), role))
    rest = ID.sub(lambda m: "_" * len(m.group()), text)
    for role, ways in ROLES:
        for match in re.finditer("|".join(ways), rest, 0 if role == "commander" else re.I):
            found.append((match.start(), match.end(), role))
            rest = rest[: match.start()] + "_" * (match.end() - match.start()) + rest[match.end() :]
    return sorted(found)


def number(word: str) -> int:
    """`5` or `five`."""
    return int(word) if word.isdigit() else NUMBERS[word.lower()]


def _seconds(text: str) -> int:
    """The span a text names, in seconds; 0 if none."""
    if not (found := re.search(NUMBER + r"\s*(ms|s|sec\w*|min\w*|m|h|hours?|days?)\b", text, re.I)):
        return 0
    unit = found.group(2).lower()
    size = (
        0
        if unit == "ms"
        else 86400
        if unit.startswith("d")
        else 3600
        if unit.startswith("h")
        else 60
        if unit.startswith("m")
        else 1
    )
    return number(found.group(1)) * size
