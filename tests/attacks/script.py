"""Reads step scripts: who does what, by meaning and not by the exact words."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """What a step does."""

    PROPOSE = auto()
    PRESS = auto()
    TEXT = auto()
    EMOJI = auto()
    TAMPER = auto()
    FORGE_ROW = auto()
    MOVED = auto()
    FREEZE = auto()
    PAUSE = auto()
    STOP = auto()
    RESUME = auto()
    WAIT = auto()
    HANDOVER = auto()
    DEACTIVATE = auto()
    MODEL = auto()
    RECORD = auto()
    REPLAY = auto()
    OLD_TIMESTAMP = auto()
    NO_SIGNATURE = auto()
    BAD_SIGNATURE = auto()
    OTHER_TEAM = auto()
    OTHER_PLACE = auto()
    FORGED_VALUE = auto()
    KILL = auto()
    START = auto()
    WORKER = auto()
    BREAK_GLASS = auto()
    BROKEN_POLICY = auto()
    RULE_ERROR = auto()
    BLIND = auto()
    ROTA_DOWN = auto()


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


NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10, "twenty": 20}
NUMBER = r"(\d+|" + "|".join(NUMBERS) + r")"

ROLES: tuple[tuple[str, str], ...] = (
    ("bot", r"\bbot\b|\bapp user\b|integration|\bworkflow\b"),
    ("stranger", r"slack connect|stranger|external (user|member)|shared[- ]channel|other workspace|another workspace"),
    ("guest", r"\bguest"),
    ("old_commander", r"\b(old|former|previous|ex-?|outgoing) ?(IC\b|incident commander|commander|lead\b)"),
    ("new_commander", r"\b(new|next|incoming) (IC\b|incident commander|commander|lead\b)"),
    ("old_on_call", r"\b(old|former|previous|ex-?|yesterday's) ?on-?call"),
    ("requester", r"\brequester|\bproposer|\bsame person|\bauthor\b|who (asked|requested|proposed)"),
    ("outsider", r"member of another team|another team|\bmole\b|outsider|no rights|not an approver|non-?approver|unrelated|someone else|colleague|developer"),
    ("commander", r"\bIC\b|incident commander|\bcommander\b"),
    ("deputy", r"\bdeput"),
    ("secondary", r"\bsecondary"),
    ("on_call", r"\bon-?call"),
    ("owner", r"\bowner"),
    ("admin", r"\badmin"),
    ("commander", r"\bapprover\b|legitimate (person|user)|authorised (person|human|user)|authorized"),
)  # fmt: skip
IDENTITIES = (
    ("guest", "GUEST"), ("on_call", "ONCALL"), ("outsider", "MOLE"), ("outsider", "OTHER"), ("outsider", "TEAM"), ("owner", "OWNER"),
    ("deputy", "DEP"), ("deputy", "IC0002"), ("commander", "IC"), ("bot", "BOT"), ("stranger", "EXT"),
)  # fmt: skip
ID = re.compile(r"\b[UW]0?[A-Z0-9]{6,}\b")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`")
PRESSED = re.compile(
    r"\b(press(es|ed|ing)?|click(s|ed|ing)?|taps?|hits?|approves|approve|denies|deny|rejects?|submits?)\b", re.I
)
PROPOSED = re.compile(r"\b(propos(e|es|ing)|request(s|ing)?|asks? for|suggests?|puts forward|proposals? (of|for|to))\b", re.I)

PATTERNS: tuple[tuple[Kind, str], ...] = (
    (Kind.BREAK_GLASS, r"break[- ]?glass|emergency override"),
    (Kind.RULE_ERROR, r"lacks?\b.*attribute|attribute.*(missing|absent|null|lack)|evaluation error|rule (errors|raises|throws)"),
    (Kind.BROKEN_POLICY, r"(policy|config|rules?)\b.*(syntax|broken|invalid|unpars|corrupt|truncated|unreadable|empty)"),
    (Kind.ROTA_DOWN, r"(rota|roster|on-?call (schedule|list)|usergroup|user group|schedule)\b.*(unreach|unavail|down|dead|fail|time|cannot be)"),
    (Kind.BLIND, r"(prometheus|metrics?|monitoring)\b.*(unreach|unavail|down|dead|fail|time|slow)"),
    (Kind.NO_SIGNATURE, r"\b(no|missing|without( an?)?|lacks?)\b.*signature"),
    (Kind.BAD_SIGNATURE, r"\b(one|a|single|last|first) byte|bytes? (is|are|was|were)?\s*(changed|flipped|altered)|body (is |was )?(changed|altered|modified|edited)|(bad|wrong|invalid|forged|other|different) (signature|signing secret|secret)|signed with"),
    (Kind.OLD_TIMESTAMP, r"timestamp"),
    (Kind.OTHER_TEAM, r"team(\.|_| )?id\b.*(another|other|different|foreign)|payload.*(another|other) workspace"),
    (Kind.REPLAY, r"same (bytes|request|payload|interaction|body)|replay|re-?sen[dt]|(slack )?retr(y|ies)"),
    (Kind.RECORD, r"\brecord(s|ed)? (a|an|the)?\b.*(interaction|request|payload|press)|captur"),
    (Kind.FORGE_ROW, r"(insert|forg|fak|add)\w*.*(approval|decision)s? (row|record)|(approval|decision) row.*(insert|forg|add)|state.*(set|changed|updated) to.*(approved|executing)"),
    (Kind.TAMPER, r"(stored|\brows?\b|database|\bdb\b|record|param|argument|payload|digest|hash|dry[- ]run)\w*.*(chang|alter|edit|updat|modif|tamper|swap|overwr|rewr|replac|differ)|(chang|alter|edit|updat|modif|tamper|swap|overwr|rewr)\w*.*(stored|\brows?\b|database|\bdb\b|record|param|argument|digest|hash)"),
    (Kind.FREEZE, r"freez|moratorium|change window|blackout"),
    (Kind.RESUME, r"\bresum|(kill[- ]?switch|pause).*(clear|lift|unset|off\b|released)"),
    (Kind.PAUSE, r"kill[- ]?switch|\bpaus|automation.*(off|disabled)|read-?only mode"),
    (Kind.STOP, r"\b(says?|types?|runs?|presses|uses?)? ?stop\b|emergency stop|halts"),
    (Kind.DEACTIVATE, r"deactivat|account.*(disabled|closed|removed|suspended)|offboard|left the company|leaves the company"),
    (Kind.HANDOVER, r"hand(s|ed|ing)? (over|off)|handover|steps? down|passes command|shift (ends|changes|is over)|rota(tion)? (turns|changes|moves)|leaves the (rota|roster|group)|removed from|no longer|loses the role|role.*(revoked|removed|taken)"),
    (Kind.OTHER_PLACE, r"copied|(another|other|different|wrong|second|private) (channel|message|thread)|forwarded|another app"),
    (Kind.FORGED_VALUE, r"never (proposed|existed)|unknown (id|proposal|value|revision)|not exist|nonexistent|forged|made[- ]up|guessed|invented|malformed value|old revision|revision \d"),
    (Kind.MODEL, r"\b(model|llm|agent|assistant|tool)\b.*\b(calls?|invokes?|claims?|says|outputs?|returns?|answers?|sets?|writes|states)\b"),
    (Kind.EMOJI, r":[a-z_0-9+-]+:|\breact|emoji|thumbs"),
    (Kind.KILL, r"kill(s|ed)?( -9)?\b|crash|dies\b|sigkill|power (cut|loss)|\bOOM\b"),
    (Kind.START, r"starts? again|restart(s|ed)?\b|comes? back|new process|boots?\b"),
    (Kind.MOVED, r"(deployment|service|target|replica|pods?|instances?|world|resource|version|cluster)\w*\b.*\b(now|moved|changed|grew|scaled|different|new(er)?|deployed)\b|now has"),
    (Kind.TEXT, r"\b(writes?|says?|types?|posts?|repl(y|ies)|comments?|messages?|sends?|DMs?|mentions?|runs? /|slash)\b|/\w+"),
    (Kind.WAIT, r"\bwaits?\b|expir|\blater\b|\bpass(es)?\b|\bafter \d|elaps"),
    (Kind.WORKER, r"\b(worker|executor|runner)\b|starts act|picks"),
)  # fmt: skip


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
    text = re.sub(r"\([^)]*\)", lambda m: m.group().replace(",", "\0"), text)
    clauses = [
        clause.replace("\0", ",")
        for clause in re.split(r",\s+|;\s+|\.\s+|\bthen\b|\bwhile\b|\bbut\b", text)
        if clause and clause.strip()
    ]
    found = [step for clause in clauses for step in _read_clause(clause.strip(), together)]
    return found or list(_read_clause(text.replace("\0", ","), together))


def _read_clause(text: str, together: bool) -> Iterable[Step]:
    plain = QUOTED.sub(" ", text)
    if re.search(dict(PATTERNS)[Kind.RULE_ERROR], plain, re.I):
        yield Step(Kind.RULE_ERROR, text)
        return
    if PROPOSED.search(plain) and not re.search(r"(never|not|was) proposed|same request", plain):
        yield _proposal(text, plain)
        return
    if BREAK := re.search(dict(PATTERNS)[Kind.BREAK_GLASS], plain, re.I):
        yield Step(Kind.BREAK_GLASS, text, roles_in(plain[: BREAK.start()]))
        return
    special = _special_press(plain)
    if PRESSED.search(plain) and special is None and not re.match(r".*\b(process|worker)\b", plain):
        yield _press(text, plain, together)
        return
    for kind, pattern in PATTERNS:
        # Emoji and what people write stand in quotation marks or colons; everything else is outside of them.
        if re.search(pattern, text if kind in (Kind.EMOJI, Kind.TEXT) else plain, re.I):
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
    patterns = dict(PATTERNS)
    return next((kind for kind in kinds if re.search(patterns[kind], plain, re.I)), None)


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
    for (_, end, _), (start, _, role) in zip(named, named[1:], strict=False):
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
        r"\b(restart|rollback|roll back|scale|silence|toggle|drain|failover|fail over|run_\w+|delete_\w+|change_iam|disable_\w+)\b",
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
    for role, pattern in ROLES:
        for match in re.finditer(pattern, rest, 0 if role == "commander" else re.I):
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
