"""The words of step scripts: who people are and what steps do, as patterns of meaning."""

import re
from enum import StrEnum, auto


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


NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10, "twenty": 20}
NUMBER = r"(\d+|" + "|".join(NUMBERS) + r")"

ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bot", (
        r'\bbot\b', r'\bapp user\b', r'integration', r'\bworkflow\b',
    )),
    ("stranger", (
        r'slack connect', r'stranger', r'external (user|member)', r'shared[- ]channel', r'other workspace',
        r'another workspace',
    )),
    ("guest", (
        r'\bguest',
    )),
    ("old_commander", (
        r'\b(old|former|previous|ex-?|outgoing) ?(IC\b|incident commander|commander|lead\b)',
    )),
    ("new_commander", (
        r'\b(new|next|incoming) (IC\b|incident commander|commander|lead\b)',
    )),
    ("old_on_call", (
        r"\b(old|former|previous|ex-?|yesterday's) ?on-?call",
    )),
    ("requester", (
        r'\brequester', r'\bproposer', r'\bsame person', r'\bauthor\b', r'who (asked|requested|proposed)',
    )),
    ("outsider", (
        r'member of another team', r'another team', r'\bmole\b', r'outsider', r'no rights', r'not an approver',
        r'non-?approver', r'unrelated', r'someone else', r'colleague', r'developer',
    )),
    ("commander", (
        r'\bIC\b', r'incident commander', r'\bcommander\b',
    )),
    ("deputy", (
        r'\bdeput',
    )),
    ("secondary", (
        r'\bsecondary',
    )),
    ("on_call", (
        r'\bon-?call',
    )),
    ("owner", (
        r'\bowner',
    )),
    ("admin", (
        r'\badmin',
    )),
    ("commander", (
        r'\bapprover\b', r'legitimate (person|user)', r'authorised (person|human|user)', r'authorized',
    )),
)  # fmt: skip
"""Earlier ones win: "another bot" is a bot before it is anybody else."""
IDENTITIES = (
    ("guest", "GUEST"), ("on_call", "ONCALL"), ("outsider", "MOLE"), ("outsider", "OTHER"), ("outsider", "TEAM"),
    ("owner", "OWNER"), ("deputy", "DEP"), ("deputy", "IC0002"), ("commander", "IC"), ("bot", "BOT"), ("stranger", "EXT"),
)  # fmt: skip
ID = re.compile(r"\b[UW]0?[A-Z0-9]{6,}\b")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`")
PRESSED = re.compile(
    r"\b(press(es|ed|ing)?|click(s|ed|ing)?|taps?|hits?|approves|approve|denies|deny|rejects?|submits?)\b", re.I
)
PROPOSED = re.compile(r"\b(propos(e|es|ing)|request(s|ing)?|asks? for|suggests?|puts forward|proposals? (of|for|to))\b", re.I)

PATTERNS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (Kind.BREAK_GLASS, (
        r'break[- ]?glass', r'emergency override',
    )),
    (Kind.RULE_ERROR, (
        r'lacks?\b.*attribute', r'attribute.*(missing|absent|null|lack)', r'evaluation error',
        r'rule (errors|raises|throws)',
    )),
    (Kind.BROKEN_POLICY, (
        r'(policy|config|rules?)\b.*(syntax|broken|invalid|unpars|corrupt|truncated|unreadable|empty)',
    )),
    (Kind.ROTA_DOWN, (
        r'(rota|roster|on-?call (schedule|list)|usergroup|user group|schedule)\b.*'
        r'(unreach|unavail|down|dead|fail|time|cannot be)',
    )),
    (Kind.BLIND, (
        r'(prometheus|metrics?|monitoring)\b.*(unreach|unavail|down|dead|fail|time|slow)',
    )),
    (Kind.NO_SIGNATURE, (
        r'\b(no|missing|without( an?)?|lacks?)\b.*signature',
    )),
    (Kind.BAD_SIGNATURE, (
        r'\b(one|a|single|last|first) byte', r'bytes? (is|are|was|were)?\s*(changed|flipped|altered)',
        r'body (is |was )?(changed|altered|modified|edited)',
        r'(bad|wrong|invalid|forged|other|different) (signature|signing secret|secret)', r'signed with',
    )),
    (Kind.OLD_TIMESTAMP, (
        r'timestamp',
    )),
    (Kind.OTHER_TEAM, (
        r'team(\.|_| )?id\b.*(another|other|different|foreign)', r'payload.*(another|other) workspace',
    )),
    (Kind.REPLAY, (
        r'same (bytes|request|payload|interaction|body)', r'replay', r're-?sen[dt]', r'(slack )?retr(y|ies)',
    )),
    (Kind.RECORD, (
        r'\brecord(s|ed)? (a|an|the)?\b.*(interaction|request|payload|press)', r'captur',
    )),
    (Kind.FORGE_ROW, (
        r'(insert|forg|fak|add)\w*.*(approval|decision)s? (row|record)', r'(approval|decision) row.*(insert|forg|add)',
        r'state.*(set|changed|updated) to.*(approved|executing)',
    )),
    (Kind.TAMPER, (
        r'(stored|\brows?\b|database|\bdb\b|record|param|argument|payload|digest|hash|dry[- ]run)\w*.*'
        r'(chang|alter|edit|updat|modif|tamper|swap|overwr|rewr|replac|differ)',
        r'(chang|alter|edit|updat|modif|tamper|swap|overwr|rewr)\w*.*'
        r'(stored|\brows?\b|database|\bdb\b|record|param|argument|digest|hash)',
    )),
    (Kind.FREEZE, (
        r'freez', r'moratorium', r'change window', r'blackout',
    )),
    (Kind.RESUME, (
        r'\bresum', r'(kill[- ]?switch|pause).*(clear|lift|unset|off\b|released)',
    )),
    (Kind.PAUSE, (
        r'kill[- ]?switch', r'\bpaus', r'automation.*(off|disabled)', r'read-?only mode',
    )),
    (Kind.STOP, (
        r'\b(says?|types?|runs?|presses|uses?)? ?stop\b', r'emergency stop', r'halts',
    )),
    (Kind.DEACTIVATE, (
        r'deactivat', r'account.*(disabled|closed|removed|suspended)', r'offboard', r'left the company',
        r'leaves the company',
    )),
    (Kind.HANDOVER, (
        r'hand(s|ed|ing)? (over|off)', r'handover', r'steps? down', r'passes command', r'shift (ends|changes|is over)',
        r'rota(tion)? (turns|changes|moves)', r'leaves the (rota|roster|group)', r'removed from', r'no longer',
        r'loses the role', r'role.*(revoked|removed|taken)',
    )),
    (Kind.OTHER_PLACE, (
        r'copied', r'(another|other|different|wrong|second|private) (channel|message|thread)', r'forwarded',
        r'another app',
    )),
    (Kind.FORGED_VALUE, (
        r'never (proposed|existed)', r'unknown (id|proposal|value|revision)', r'not exist', r'nonexistent', r'forged',
        r'made[- ]up', r'guessed', r'invented', r'malformed value', r'old revision', r'revision \d',
    )),
    (Kind.MODEL, (
        r'\b(model|llm|agent|assistant|tool)\b.*\b(calls?|invokes?|claims?|says|outputs?|returns?|answers?|sets?|writes|states)\b',
    )),
    (Kind.EMOJI, (
        r':[a-z_0-9+-]+:', r'\breact', r'emoji', r'thumbs',
    )),
    (Kind.KILL, (
        r'kill(s|ed)?( -9)?\b', r'crash', r'dies\b', r'sigkill', r'power (cut|loss)', r'\bOOM\b',
    )),
    (Kind.START, (
        r'starts? again', r'restart(s|ed)?\b', r'comes? back', r'new process', r'boots?\b',
    )),
    (Kind.MOVED, (
        r'(deployment|service|target|replica|pods?|instances?|world|resource|version|cluster)\w*\b.*\b(now|moved|changed|grew|scaled|different|new(er)?|deployed)\b',
        r'now has',
    )),
    (Kind.TEXT, (
        r'\b(writes?|says?|types?|posts?|repl(y|ies)|comments?|messages?|sends?|DMs?|mentions?|runs? /|slash)\b',
        r'/\w+',
    )),
    (Kind.WAIT, (
        r'\bwaits?\b', r'expir', r'\blater\b', r'\bpass(es)?\b', r'\bafter \d', r'elaps',
    )),
    (Kind.WORKER, (
        r'\b(worker|executor|runner)\b', r'starts act', r'picks',
    )),
)  # fmt: skip
"""Earlier ones win."""


def pattern(kind: Kind) -> str:
    """All ways to say one kind of step, as one regular expression."""
    return "|".join(dict(PATTERNS)[kind])
