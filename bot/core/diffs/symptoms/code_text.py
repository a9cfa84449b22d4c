"""The parts of a log line or error text that a program wrote, and not whoever called it.

A search term, a name or a field that somebody typed stands in quotes, behind `=` or a colon, or behind the word that says what
it is; a whole error that somebody typed stands behind "for", where a program writes a noun. Names of code stand first in their
line, in stack frames, as classes of errors, before `=`, and right behind the word that says which part of a program is missing.
What is recognised as neither is left out: somebody may have typed it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_NAME = r"[A-Za-z_$][\w$]*(?:(?:::|[./-])[A-Za-z_$][\w$]*){0,15}"
"""Of at most 16 parts: a line of nothing else is read in a time that grows with its length, and not with its square."""
_START = r"(?<![\w$])"
"""Where a name may begin: not within one."""
_PREFIX = re.compile(
    r"^(?:\s*(?:\[[^\]\s]*\]|\d[\dT:.,Z+/-]*|[IWEF]\d{4}|(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|PANIC)\b:?|"
    r"[a-z]+=(?:trace|debug|info|warn(?:ing)?|error|fatal)|[-|:]))*\s*",
    re.I,
)
"""Times, levels and brackets before the message."""
_FIRST = re.compile(rf"^{_NAME}(?=[\s:(]|$)")
_FRAMES = re.compile(
    rf"\bat (?:new |async )?({_NAME}) ?\(|\bin ({_NAME})\s*(?:$|\n|\()|\bFile \"[^\"]+\", line \d+, in ({_NAME})|"
    rf"\bat <\.?({_NAME})>|\b(?:panic|crash|exception)(?: \w+)? in ({_NAME}):"
)
_EXPRESSIONS = re.compile(rf"\bat [\w$.]+\(({_NAME})\)|\bhas no attribute [\"']?({_NAME})")
"""What a frame calls its function with, and an attribute that an object lacks."""
_FILES = re.compile(
    r"(?<![\w./-])[./-]*\b([\w./-]+\.(?:py|go|java|kt|js|mjs|ts|tsx|rb|cs|rs|php|scala|c|cc|cpp|h|ex|exs|erl|swift))"
    r"(?=:\d+|\", line)"
)
_ERROR = re.compile(
    rf"\b((?:{_START}{_NAME}[.:])?\w*(?:Error|Exception|Panic|Fault)|panic|exception|error)\b"
    rf"(?:\s+(?:\w+\s+)?(?:in|from|at)\s+({_NAME}))?(?:: ({_NAME})\(\))?"
)
_KEY = re.compile(rf"(?<![\w$\"'])({_NAME})(?==)")
_PART_OF_PROGRAM = (
    r"(?:relation|table|column|index|constraint|view|schema|database|field|attribute|method|function|module|package|class|bean|"
    r"symbol|bucket|topic|queue|stream|secret|variable|env(?:ironment)?(?: variable)?|setting|"
    r"config(?:uration)?(?: key)?|driver|library|shared object|"
    r"import(?: name)?)"
)
_MISSING_PART = re.compile(
    rf"\b{_PART_OF_PROGRAM}\b[^.:]{{0,30}}\b(?:does not exist|not found|is missing)\s*:\s*({_NAME})|"
    rf"\b{_PART_OF_PROGRAM}\b\s*(?::\s*)?[\"'`\[(<]?({_NAME})[\"'`\])>]?(?=\W|$)|"
    rf"{_START}[\"'`]?({_NAME})[\"'`]?\s+is (?:not defined|not a function|undefined)",
    re.I,
)
_NOT_THERE = re.compile(
    rf"\bKeyError: [\"']({_NAME})[\"']|\brequired (?:positional |keyword-only )?arguments?: [\"']({_NAME})[\"']|"
    rf"\bresolve service for type [\"']({_NAME})[\"']|\bno exchange [\"']({_NAME})[\"']|"
    rf"\b(?:cannot|could not) find (?:package|module) [\"'](@?{_NAME})[\"']|\bno module named [\"']({_NAME})[\"']|"
    rf"\b(?:Template|View|Partial|Module|Class|Package)NotFound\w*: [\"']?({_NAME})|\bsection [\"']([\w:.-]+)[\"'] not found|"
    rf"\b(?:no such (?:key|property|column|field)|undefined (?:index|array key|method|variable|property)):? [\"'`]?({_NAME})",
    re.I,
)
"""What an interpreter or a loader says of a name that it does not find."""
_REQUIRED = re.compile(
    rf"(?:(?<![\w$\"'`=])({_NAME})|(?<![\w=])\"({_NAME})\"|(?<![\w=])'({_NAME})'|(?<![\w=])`({_NAME})`)"
    r" (?:is|was) (?:a )?required\b(?! to\b)"
)
"""A field that whoever reads a message or a setting insists on: bare or in quotes of its own, for what others hold is typed."""
_DENIED = re.compile(
    rf"\bnot authori[sz]ed to perform:? ((?:[\w-]{{1,40}}:)?{_NAME})|"
    rf"\((?:AccessDenied|Unauthori[sz]ed|AuthorizationError|NotAuthori[sz]ed)\w{{0,40}}\) when calling the ({_NAME}) operation"
)
"""What a cloud's library says of an action that a policy does not allow."""
_TYPED_BEFORE = re.compile(
    r"\b(?:for|about|matching|like|named|called|containing|saying)\s+(?:(?:an?|the)\s+)?"
    r"(?:[\w.]*(?:error|exception|fatal|panic|pq|psql)\b[:\s]+)*$",
    re.I,
)
"""A preposition of what is looked for, and labels such as `ERROR:` that somebody may have typed with it."""
_STATES = re.compile(
    r"[\"'`\])>]?\s+(?:(?:of|in|on)\s+(?:\w+\s+)?\S+\s+)?(?:does not|doesn.?t|do not|is not|isn.?t|was not|"
    r"not found|cannot|could not|(?:is|was) (?:missing|unknown|undefined)|already exists|violates)",
    re.I,
)
"""A predicate: behind the name it makes a sentence of it."""
_OF_TRANSPORT = re.compile(r"\bdesc = \"(transport:[^\"]*)\"")
"""What gRPC says of a connection, which it puts in quotes itself."""
_QUOTED = re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|`[^`]*`|“[^”]*”")
_VALUE = re.compile(r"(?<==)(?![=~])[^\s,;)]+")
_STATUS = re.compile(r"(?<![\w?&])(?:http[._])?status(?:_?code)?=([45]\d\d)(?=[\s,;)]|$)", re.I)
"""The status of an answer, which nobody types."""
_NOT_SERVED = re.compile(
    r"time[- ]?out|timed ?out|\bconnection (?:refused|reset|closed|aborted|error)|unreachable|unavailable|bad gateway|"
    r"too many requests|\b(?:answered|answers|responded|returned|replied|got)\b.{0,20}\b(?:429|5\d\d)\b|"
    r"\bstatus\b.{0,20}\b(?:429|50[2-4])\b|breaker.{0,60}\bopen\b",
    re.I,
)
"""Somebody who was called does not answer, or says that he cannot; `status=500` is rather what the service itself answers."""


@lru_cache(maxsize=4_096)
def code_names(text: str) -> str:
    """The names that the program itself wrote, one a line.

    Where somebody who was called does not answer, the error's class and the event are those of whoever called:
    they are left out.
    """
    written = _until_typed(text)
    names: list[str] = []
    patterns = [_FRAMES, _EXPRESSIONS, _FILES, _KEY, _MISSING_PART, _NOT_THERE, _REQUIRED, _DENIED]
    if not _NOT_SERVED.search(text):
        names += _FIRST.findall(_PREFIX.sub("", written, count=1))[:1]
        patterns.append(_ERROR)
    for pattern in patterns:
        names += [name for match in pattern.finditer(written) for name in match.groups() if name]
    return "\n".join(names)


def frames(text: str) -> list[str]:
    """The functions and files of stack frames in it."""
    written = _until_typed(text)
    return [name for pattern in (_FRAMES, _FILES) for match in pattern.finditer(written) for name in match.groups() if name]


class Frame(NamedTuple):
    """One frame of a stack; "" for what is not known of it."""

    function: str = ""
    file: str = ""


def innermost_frame(text: str) -> Frame:
    """The frame in which a failure arises: the one that stands first, in a traceback of Python the last."""
    written = _until_typed(text)
    last = "Traceback (most recent call last)" in written
    parts = []
    for pattern in (_FRAMES, _FILES):
        names = [name for match in pattern.finditer(written) for name in match.groups() if name]
        parts.append(names[-1 if last else 0] if names else "")
    return Frame(*parts)


@lru_cache(maxsize=4_096)
def _until_typed(text: str) -> str:
    """The text up to an error that stands where a program puts what somebody looked for: nobody knows where that ends.

    A preposition takes a noun: in `search failed for column total does not exist` no program writes the sentence behind it.
    """
    errors = (match.start() for pattern in (_FRAMES, _ERROR) for match in pattern.finditer(text))
    files = (match.start(1) for match in _FILES.finditer(text))
    sentences = (match.start() for match in _MISSING_PART.finditer(text) if _is_sentence(match, text))
    others = (match.start() for pattern in (_REQUIRED, _DENIED) for match in pattern.finditer(text))
    typed = (start for start in sorted((*errors, *files, *sentences, *others)) if _TYPED_BEFORE.search(text, 0, start))
    return text[: next(typed, len(text))]


def _is_sentence(part: re.Match[str], text: str) -> bool:
    return bool(_STATES.match(text, part.end()) or _STATES.search(part.group()))


def is_file_of(name: str, path: str) -> bool:
    """Whether a name from a line is this file: the same name, in the same folder where the line tells one."""
    file, own = name.split("/"), path.split("/")
    shared = min(len(file), len(own), 2)
    return "." in file[-1] and file[-shared:] == own[-shared:]


def without_values(text: str) -> str:
    """The text without what stands in quotes or behind `=`, where somebody may have typed it."""
    return _VALUE.sub(" ", _STATUS.sub(r"status \1", _QUOTED.sub(" ", _OF_TRANSPORT.sub(r": \1 ", text))))
