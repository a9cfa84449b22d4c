"""Removes secrets from text before it is stored, shown or sent to a model.

A text is read in several ways, since a secret in disguise is one still: as it stands; with escapes, percent signs and
entities undone and without invisible characters; with wrapped lines joined; and each Base64 or hexadecimal word decoded
once. In every reading the same detectors run: forms of secrets, values behind names, random words beside "key" or
"token", numbers of persons. Patterns run on RE2, so the time is linear whatever the text is.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar, overload

import re2

from bot.core.redaction.gitleaks import keyword_patterns, vendor_secrets
from bot.core.redaction.named_secrets import named_secrets
from bot.core.redaction.personal import HINT, Redaction, personal
from bot.core.redaction.secret_formats import KINDS
from bot.core.redaction.tables import placed_secrets
from bot.core.text.patterns import Pattern, any_of

V = TypeVar("V")

_KIND_OF = {kind: any_of(*patterns) for kind, patterns in KINDS.items()}
_PERSONAL = any_of(HINT)

_ESCAPED = re.compile(
    r"%(?:25)*[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'/]|&(?:quot|amp|lt|gt|apos|#[0-9]{1,5}|#x[0-9A-Fa-f]{1,4});"
)
_UNSEEN = re.compile(r"[^\t\n\r -~]")
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝвкмнтАВЕКМНОРСТУХІЈЅαοντΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwbkmhtABEKMHOPCTYXIJSaovtABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters that look like Latin ones (Unicode TR 39)."""
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'"}
_WRAPPED = re.compile(
    r"(?<=[A-Za-z0-9+/=_\-.])(?:\\n|\\\r?\n|-?\r?\n|\r|[\"'] ?[+.&] ?[\"'])[ \t>|#*]{0,12}(?=[A-Za-z0-9+/=_\-.])"
)
_JOINT = r"[A-Za-z0-9+/=_\-.](?:\\n|\\?[\r\n]|-\r?\n|[\"'] ?[+.&] ?[\"'])[ \t>|#*]*[A-Za-z0-9+/=_\-.]"
_SPACED = r"(?:^|\s)(?:[!-~] ){7,}[!-~](?:\s|$)"
PARTED = (_JOINT, _SPACED)
"""One of them matches wherever lines or letters have to be joined."""
_PARTED, _APART = any_of(*PARTED), any_of(_SPACED)
_WORD = re2.compile(r"[A-Za-z0-9+/_\-]{16,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{24,}")
_MASKED = re.compile(r"\[[a-z \-]{3,20}\]$")
"""What stands in place of a secret already."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")
"""Halves of characters: no database and no engine for patterns takes them."""
_PAIR = re.compile(r"^[\w.@\-]{2,40}:[^\s:]{4,80}$")
"""User and password, as basic authentication sends them."""
MAX_WORD = 8_192


@dataclass(frozen=True)
class _Reading:
    """A text as somebody might read it; `starts[i]` and `ends[i]` are where its i-th character stands in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def in_original(self, redactions: Iterable[Redaction]) -> list[Redaction]:
        """The same redactions at their places in the original."""
        return [(self.starts[start], self.ends[end - 1], kind) for start, end, kind in redactions if start < end]


def redact(text: str) -> str:
    """The text with secrets replaced by `[secret]`, `[token]`, ... Harmless text comes back unchanged."""
    if not text:
        return text
    if _SURROGATES.search(text):
        text = _SURROGATES.sub("\ufffd", text)
    # Every reading is one of the whole text: what one of them detects may be half of what another does.
    joined = (_wrapped, _spaced) if _PARTED.search(text) else ()
    return _replaced(text, [span for read in (_everything, _escaped, *joined, _decoded) for span in read(text)])


@overload
def redact_all(value: str) -> str: ...
@overload
def redact_all(value: Mapping[str, V]) -> dict[str, V]: ...
@overload
def redact_all(value: object) -> object: ...
def redact_all(value: object) -> object:
    """JSON with every text in it redacted; names of fields stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: redact_all(item) for name, item in value.items()}
    return [redact_all(item) for item in value] if isinstance(value, list | tuple) else value


def redact_bytes(body: bytes) -> bytes:
    """A body that could not be read, without the secrets in it. Unchanged bytes otherwise, whatever their encoding."""
    try:
        return redact(body.decode()).encode()
    except UnicodeDecodeError:
        return redact(body.decode("latin-1")).encode("latin-1", "replace")


def _everything(text: str) -> list[Redaction]:
    # Personal numbers are detected in the same step: a name would take the first part of a number and leave the rest.
    return [*_secrets(text), *personal(text)] if _PERSONAL.search(text) else _secrets(text)


def _secrets(text: str) -> list[Redaction]:
    spans = [*named_secrets(text), *placed_secrets(text)]
    typed: list[Redaction] = []
    if _forms().search(text):
        typed = _typed(text)
        spans += vendor_secrets(text)
    return [*typed, *((start, end, "secret") for start, end in spans if not _MASKED.match(text, start, end))]


@cache
def _forms() -> Pattern:
    """Whether a text may hold a secret that its form gives away: one pass for all kinds and all vendors."""
    return any_of(*(pattern for patterns in KINDS.values() for pattern in patterns), *keyword_patterns())


def _typed(text: str) -> list[Redaction]:
    return [(*match.span(), kind) for kind, pattern in _KIND_OF.items() for match in pattern.finditer(text)]


def _escaped(text: str) -> list[Redaction]:
    """With escapes undone, invisible characters gone and wide letters narrow."""
    reading = _plainly(text)
    if reading is None:
        return []
    return reading.in_original(_everything(reading.text))


def without_escapes(text: str) -> str | None:
    """An ASCII text with its escapes undone; None if it holds characters that nobody sees."""
    if not text.isprintable() and _UNSEEN.search(text):
        return None
    return _ESCAPED.sub(lambda escape: _plain_form(escape.group()), text)


def _plainly(text: str) -> _Reading | None:
    odd = "".join(char for char in set(text) if (char > "~" or char < " ") and _plain_form(char) != char)
    escaped = re.compile(f"{_ESCAPED.pattern}|[{re.escape(odd)}]") if odd else _ESCAPED
    parts, starts, ends, at = [], [], [], 0
    for match in escaped.finditer(text):
        start, end = match.span()
        plain = _plain_form(match.group())
        parts += [text[at:start], plain]
        starts += [*range(at, start), *([start] * len(plain))]
        ends += [*range(at + 1, start + 1), *([end] * len(plain))]
        at = end
    if not parts:
        return None
    parts.append(text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return _Reading("".join(parts), starts, ends)


@lru_cache(maxsize=4096)
def _plain_form(escape: str) -> str:
    """What an escape stands for; nothing for a character that nobody sees."""
    if escape[0] == "%" or escape[:2] in ("\\u", "\\x"):
        # A percent sign may be escaped itself: %253D.
        digits = escape[-2:] if escape[0] == "%" and len(escape) > 1 else escape.lstrip("%\\ux")
        return _printable(int(digits, 16)) if digits else ""
    if escape[0] == "\\":
        return escape[1:]
    if escape[0] == "&":
        name = escape[1:-1]
        if name[0] != "#":
            return _ENTITIES[name]
        return _printable(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))
    if escape in "\n\r\t":
        return escape
    if unicodedata.category(escape) in ("Cf", "Mn", "Cc", "Cn", "Co", "Cs"):
        return ""
    narrow = unicodedata.normalize("NFKC", escape)
    return (narrow if len(narrow) == 1 else escape).translate(_LOOKALIKES)


def _printable(point: int) -> str:
    """The character; nothing for what nobody sees, halves of characters among it: no engine for patterns takes them."""
    char = chr(point)
    return char if char.isprintable() or char in "\n\t" else ""


def _wrapped(text: str) -> list[Redaction]:
    """With wrapped lines and cut literals joined: only forms of secrets, since joined words look like a name and a value."""
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for match in _WRAPPED.finditer(text):
        parts.append(text[at : match.start()])
        starts += range(at, match.start())
        at = match.end()
    if not parts:
        return []
    parts.append(text[at:])
    starts += range(at, len(text))
    joined = "".join(parts)
    redactions = _typed(joined) if _forms().search(joined) else ()
    return [(starts[start], starts[end - 1] + 1, kind) for start, end, kind in redactions]


def _spaced(text: str) -> list[Redaction]:
    """With letters that blanks hold apart joined: `p a s s w o r d = ...`."""
    between = {index for match in _APART.finditer(text) for index in range(match.start() + 1, match.end() - 1)}
    if not between:
        return []
    indices = [index for index in range(len(text)) if index not in between or text[index] != " "]
    reading = _Reading("".join(text[index] for index in indices), indices, [index + 1 for index in indices])
    return reading.in_original(_everything(reading.text))


def _decoded(text: str, times: int = 2) -> list[Redaction]:
    """Words that hold a secret once they are decoded, or decoded twice."""
    redactions: list[Redaction] = []
    for match in _WORD.finditer(text):
        inner = decoded_word(match.group())
        if inner and (_PAIR.match(inner) or _everything(inner) or (times > 1 and _decoded(inner, times - 1))):
            redactions.append((*match.span(), "secret"))
    return redactions


def decoded_word(word: str) -> str:
    """What a Base64 or hexadecimal word says, if it says something printable."""
    word = word[:MAX_WORD]
    try:
        if _HEXADECIMAL.fullmatch(word) and len(word) % 2 == 0:
            raw = bytes.fromhex(word)
        else:
            bare = word.rstrip("=").replace("-", "+").replace("_", "/")
            raw = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        # PowerShell encodes its commands in UTF-16.
        plain = raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8")
    except (binascii.Error, ValueError):
        return ""
    return plain if len(plain) >= 8 and all(c.isprintable() or c in "\r\n\t" for c in plain) else ""


def _replaced(text: str, redactions: Iterable[Redaction]) -> str:
    """Overlapping spans become one, named by the one that begins first (of equals the longest)."""
    spans = sorted(redactions, key=lambda span: (span[0], -span[1]))
    if not spans:
        return text
    out, at = [], 0
    start, end, kind = spans[0]
    for next_start, next_end, next_kind in spans[1:]:
        if next_start < end:
            end = max(end, next_end)
            continue
        out += [text[at:start], f"[{kind}]"]
        at, start, end, kind = end, next_start, next_end, next_kind
    return "".join([*out, text[at:start], f"[{kind}]", text[end:]])
