"""Secrets that are told by what stands before them: a name (`DB_PASSWORD=`), a header, a flag, a user in an address.

The name says that a secret follows, the value decides whether one does: `password: expired` and `tokens=512` are none.
Patterns run on RE2; where a value ends is found by looking at each character once.
"""

import re
from collections.abc import Iterator
from typing import Any

import re2

from bot.core.linear import linear
from bot.core.secret_phrases import MAYBE, PHRASES
from bot.core.secret_values import (
    CAMEL,
    HEX,
    MIN_RANDOM,
    MIN_STRONG,
    classes,
    decoded,
    is_drawn,
    is_harmless,
    is_random,
    is_secret,
    is_strong,
)
from bot.core.secret_words import LOT, MARKS, NAME, NO_SECRET_KEY, PASSWORD, PERSON

Span = tuple[int, int]

_TYPED_AS = r":\s?(?:final |&)?(?:str|string|String|SecretStr|Text|any)(?: \| None)?\s?=\s?"
_PLAIN = (
    rf"(?i)(?:^|\b|[^A-Za-z0-9])({NAME}){MARKS}(?:\s?\([^()\n]{{1,20}}\))?"
    rf"(?:\s{{0,8}}(?:{_TYPED_AS}|=>|:=|->|[?+]?=|:\*{{0,2}}|：|\t|,\s{{0,2}}[\"'])\s{{0,8}}(?:[|>]-?\s*\n\s*)?|"
    rf"\]?\)?\s{{0,8}}=>?\s{{0,8}})"
)
_CELL = (
    rf"(?i)(?:^|\b|[^A-Za-z0-9])({NAME}){MARKS}(?:\s{{0,20}}\|\s{{0,20}}|\s[\-–]\s|;|\([\"'])|"
    rf"(?m:^)[ \t]*({NAME})[ \t]*\r?\n[ \t]*"
)
"""A name and its value side by side in a table, a call or two lines: less telling, so that the value has to be strong."""
_LOT = rf"(?i)(?:^|\b|[^A-Za-z0-9])({LOT}){MARKS}(?:\s{{0,4}}(?:=>|:=|=|:)\s{{0,4}}|\]?\)?\s{{0,4}}=\s{{0,4}})"
_NESTED = (
    rf"(?i)(?:^|\b|[^A-Za-z0-9])({NAME}){MARKS}\s{{0,4}}[:=]?\s{{0,4}}\{{?\s{{0,20}}"
    rf"{MARKS}(?:value|default|plaintext|content){MARKS}\s{{0,4}}[:=]\s{{0,4}}"
)
_TAGGED = (
    rf"(?i)<(?:\w+:)?({NAME})(?:\s[^<>]{{0,80}})?>|<\w+\s[^<>]{{0,40}}(?:name|key|id)=[\"']({NAME})[\"'][^<>]{{0,40}}>|"
    rf"<key>{NAME}</key>\s*<string>"
)
_PAIRED = (
    rf"(?i){MARKS}(?:name|key|n)(?:{MARKS}\s{{0,4}}[:=]\s{{0,4}}){MARKS}({NAME}){MARKS}[\s,;&}}{{]{{0,20}}"
    rf"(?:{MARKS}(?:type|kind|secure|env|scope|label){MARKS}\s{{0,4}}[:=]\s{{0,4}}{MARKS}\w{{1,20}}{MARKS}[\s,;&]{{0,8}})?"
    rf"{MARKS}(?:value|val|v){MARKS}\s{{0,4}}[:=]\s{{0,4}}"
)
_FORM = rf"(?i)\bname=\"({NAME})\"\s*?\r?\n\r?\n"
_FLAG = rf"(?i)(?:^|\s)--?({NAME})\s+"
_SPOKEN = (
    rf"(?i)(?:\b(?:token|key|pin|pw|api key|access key|secret key|login|auth code|otp|code)|(?:^|\b|[^A-Za-z0-9]){NAME})"
    r"(?: (?:for|of|to|on|von|für|de|del|pour) [\w.@\-]{1,40}){0,2}"
    r"\s+(?:is|was|are|now|ist|es|est|è|é|to|jest|är|lautet|=|set to|changed to|to)(?: now)?:?\s+|"
    rf"(?:{PASSWORD}|token|key|pin)\s?[は이是为]\s?[：:]?\s?|"
    rf"\b(?:{PASSWORD}|token|key|pin|login)(?: (?:for|of|to|on) [\w.@\-]{{1,40}}){{1,2}}\s?[:=]\s?"
)
_NEAR = (
    rf"(?i)(?:\b(?:(?:api|access|secret|private|signing|licen[sc]e|auth|deploy|global|master|root|admin)[ _\-]?(?:key|token)|"
    rf"token|key|bearer|o?auth|hec|pat|psk|pw|credential)s?|(?:^|\b|[^A-Za-z0-9]){NAME})"
    r"(?: [0-9]{1,2}:)?[\s\"'`(\[<:=]{1,4}"
)
_AHEAD = (
    r"(?i)[A-Za-z0-9][A-Za-z0-9_.~+/\-]{15,}={0,2}[\"'`]?\s"
    r"((?:api|access|secret|auth|bearer|refresh|bot|deploy|user|personal access|oauth|private|signing|"
    r"encryption)[ _\-]|as [A-Z0-9_]+_)?(?:token|key|secret|password|pat|credential)\b"
)
_BASIC = r"(?i)\bbasic\s+([A-Za-z0-9+/_\-]{8,}={0,2})|\\*\"auth\\*\"\s*:\s*\\*\"([A-Za-z0-9+/]{8,}={0,2})"
_FORTY = r"(?:^|[\s\"'=:,(])[A-Za-z0-9/+]{40}(?:$|[\s\"',;)])"
"""A bare secret key of AWS has no other mark than its length and letters."""
_QUERY = r"(?i)[?&;](?:key|auth|code|sid|session|ticket|t|s)=([^&\s\"'#<>]{8,})"
_HOOK = (
    r"(?i)https?://[^\s\"'<>?#/]{3,120}/(?:[\w\-]+/){0,6}?(?:[\w\-]*hooks?|heartbeat|integrations?|with/key|alert|ping)"
    r"(?:/[\w.\-]{1,40}){0,4}?/([A-Za-z0-9_\-]{16,})|https?://hc-ping\.com/([A-Za-z0-9_\-]{16,})"
)
"""Whoever knows such an address may post to it: the end of its path is the secret."""
_NETRC = r"(?i)\blogin\s+\S{1,80}\s+(password)\s+|\bmachine\s+\S{1,80}\s+(password)\s+"

_PHRASE_RULES = tuple(linear(pattern, capture=True) for pattern in PHRASES)
_MAYBE_RULES = tuple(linear(pattern, capture=True) for pattern in MAYBE)
_ANY_PHRASE = linear(*PHRASES)
_SPOKEN_RULE, _NEAR_RULE = linear(_SPOKEN), linear(_NEAR)
_FORTY_RULE = linear(_FORTY)
_BASIC_RULE, _QUERY_RULE = linear(_BASIC, capture=True), linear(_QUERY, capture=True)
_LOT_RULE, _TAGGED_RULE, _NO_SECRET_KEY = linear(_LOT), linear(_TAGGED), re2.compile(NO_SECRET_KEY)
_HOOK_RULE, _AHEAD_RULE, _CELL_RULE = linear(_HOOK, capture=True), linear(_AHEAD, capture=True), linear(_CELL)
_RULES = (
    _LOT_RULE,
    *map(linear, (_PAIRED, _NESTED, _PLAIN, _FORM, _FLAG)),
    _TAGGED_RULE,
    _CELL_RULE,
    _SPOKEN_RULE,
    linear(_NETRC),
)
_ANY = linear(
    *PHRASES,
    *MAYBE,
    _PAIRED,
    _NESTED,
    _PLAIN,
    _LOT,
    _TAGGED,
    _FORM,
    _FLAG,
    _CELL,
    _SPOKEN,
    _NETRC,
    _NEAR,
    _AHEAD,
    _BASIC,
    _QUERY,
    _FORTY,
    _HOOK,
)
"""All of them at once: one pass tells that nothing is here, as nearly always."""

_BARE = re.compile(r"[^\s\"'`<>,;&|{}()\[\]]+")
_PREFIX = re.compile(r"(?:!!\w+[ \t]+|string\([0-9]+\)\s|s:[0-9]+:|<!\[CDATA\[)?(?:[A-Za-z@$]{1,2}(?=[\"']))?")
"""What YAML, PHP, SQL, Python and C# write before a value: a type, a length, a letter before the quote."""
_BRACED = re.compile(r"\{[^{}\s\"':]{3,80}\}(?=;|$)")
"""SQL Server's quotation marks."""
_ITEMS = re.compile(
    r"\[\s{0,8}([\"'][^\[\]\n]{1,2000}[\"'])\s{0,8}\]|-[ \t]+([^\s:\-][^\s:]*(?:\r?\n[ \t]*-[ \t]+[^\s:]+)*)(?=\r?\n|$)"
)
"""A list of values, of JSON or YAML: all of it."""
_INSIDE = {quote: re.compile(rf"(?:[^{quote}\\\n]|\\(?!{quote}).)*\\?") for quote in "\"'`"}
"""What stands before the closing quote. A quote that is escaped itself closes: its opening one was escaped too."""
MAX_VALUE = 4_096
_HOOK_END = re.compile(r"[A-Za-z0-9]{24,}$|(?=.*[0-9].*[0-9])[\w\-]{24,}$")
MIN_LOT, MAX_NEAR = 10, 512
_ATTRIBUTE = re.compile(r"^[a-z_]+(?:[A-Z][a-z]+)*(?:\.(?:[a-z_]+(?:[A-Z][a-z]+)*|[A-Z]+(?:_[A-Z]+)*))+$")
_GOES_ON = re.compile(r"[(\[]| \+ ")
_OWN = re.compile(r"(?:self|cls|this|config|settings|args|opts|options|os|env|process|request|kwargs|ctx|app)\.[A-Za-z_.]+$")
_TYPE = re.compile(r"(?:[a-z_]+\.)*_?[A-Z][A-Za-z]+$")
_AFTER_TYPE = re.compile(r"\[|\s?\||\s=\s|\)\s?->")
_EXPRESSION = re.compile(
    r"^(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[a-z_]+[0-9]{0,3}[a-z_]*)(?:\.(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[a-z_]+))*$"
)
_OF_A_PERSON = re2.compile(rf"(?i){PERSON}")
_ANOTHER_NAME = re.compile(r"[:=]|[\"']\s?:(?!:)")
_MORE_WORDS = re.compile(r"^ [A-Za-z(\-][A-Za-z\-]*(?:[ .,;)!?]|$)")
_PLACE_IN_LIST = re2.compile(
    r"(?i)(?:page|next|prev(?:ious)?|continu(?:e|ation)|resume|sync|cancel(?:lation)?|cursor|pagination)[_\- ]?token"
)
"""Tokens that only say where a list goes on."""
_CALLED = re2.compile(rf"(?i)[_\-]|(?-i:[a-z][A-Z])|psk|\bpw\b|(?:api|access|secret|private|auth) (?:key|token)|{PASSWORD}")
_NEXT_LINE = re.compile(r"[\\\-]?(?:\\n|\r?\n)[ \t>|#*]{0,12}([A-Za-z0-9+/=_\-.]{8,512})(?=[\"'`]?(?:\s|\\n|$))")


def named_secrets(text: str) -> Iterator[Span]:
    """Spans of values that a name, a header, a flag or an address says are secret."""
    if not _ANY.search(text):
        return
    if _ANY_PHRASE.search(text):
        for pattern in _PHRASE_RULES:
            for match in pattern.finditer(text):
                start, end = match.span(match.lastindex or 1)
                if not is_harmless(text[start:end]):
                    yield start, end
    for pattern in _MAYBE_RULES:
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 1)
            if is_strong(text[start:end]):
                yield start, end
    yield from _behind_names(text)
    yield from _beside_names(text)
    yield from _by_their_looks(text)


def _by_their_looks(text: str) -> Iterator[Span]:
    """Words drawn by lot in places where secrets stand: basic authentication, a query, the end of a hook's path."""
    for match in _BASIC_RULE.finditer(text):
        if ":" in decoded(match.group(match.lastindex or 1)):
            yield match.span(match.lastindex or 1)
    for match in _FORTY_RULE.finditer(text):
        word = match.group().strip(" \t\r\n\"'=:,();")
        if (
            classes(word) == 3
            and sum(c.isdigit() for c in word) > 1
            and not CAMEL.match(word)
            and not word.startswith("/")
            and word.count("/") < 4
        ):
            at = match.start() + match.group().index(word)
            yield at, at + len(word)
    for rule in (_QUERY_RULE, _HOOK_RULE):
        for match in rule.finditer(text):
            start, end = match.span(match.lastindex or 1)
            if (
                is_random(text[start:end])
                or is_drawn("token", text[start:end])
                or (rule is _HOOK_RULE and _HOOK_END.match(text[start:end]))
            ):
                yield start, end


def _behind_names(text: str) -> Iterator[Span]:
    for rule in _RULES:
        seen = 0
        for match in rule.finditer(text):
            if match.end() <= seen:
                # Inside of a value: names may stand there, and each of them would look on to the same end.
                continue
            if rule is _TAGGED_RULE and text[match.end() : match.end() + 1] in ("`", "'", '"'):
                # Somebody writes about the tag.
                continue
            mark = text[match.end() : match.end() + 1]
            if mark in _INSIDE and match.group()[0] == mark and match.group().count(mark) == 1:
                # The name stands in quotation marks itself, and this one closes them: `DB_PASSWORD=`.
                continue
            start, end = _value(text, match.end())
            if _ANOTHER_NAME.match(text, end) or text.startswith("::", match.end() - 1):
                # Another name, or the path of one: `creds: SessionToken: ...`, `token::description`.
                continue
            seen = end
            written, value = match.group(), text[start:seen]
            if start >= seen or is_harmless(value):
                continue
            if rule is _CELL_RULE:
                found = _in_a_cell(written, value)
            elif rule is _LOT_RULE:
                found = not _NO_SECRET_KEY.search(written) and (
                    is_drawn("", value)
                    or (len(value) >= MIN_RANDOM and is_random(value))
                    or (len(value) >= MIN_LOT and is_strong(value))
                )
            else:
                found = is_secret(written, value, spoken=rule is _SPOKEN_RULE)
            if found and not _in_prose(written, value, text[seen : seen + 24]) and not _in_code(text, match, start, seen):
                yield start, _continued(text, start, seen)


def _in_a_cell(written: str, value: str) -> bool:
    return is_strong(value) or is_drawn(written, value) or (len(value) >= MIN_RANDOM and is_random(value))


def _beside_names(text: str) -> Iterator[Span]:
    """Words drawn by lot right beside "key", "token" and the like."""
    for match in _NEAR_RULE.finditer(text):
        start, end = _value(text, match.end(), MAX_NEAR + 1)
        word, name = text[start:end], match.group()
        if not MIN_STRONG <= len(word) <= MAX_NEAR:
            continue
        found = (
            (is_random(word) or is_drawn(name, word)) if len(word) >= MIN_RANDOM else is_strong(word) and _CALLED.search(name)
        )
        found = found and not _NO_SECRET_KEY.search(text[max(0, match.start() - 20) : match.end()])
        if found and not _in_code(text, match, start, end):
            yield start, end
    for match in _AHEAD_RULE.finditer(text):
        word = match.group().split()[0].rstrip("\"'`")
        mixed = any(c.islower() for c in word) and any(c.isupper() for c in word) and "/" not in word
        if (mixed and is_random(word)) or (match.group(1) and is_drawn("token", word)):
            yield match.start(), match.start() + len(word)


def _continued(text: str, start: int, end: int) -> int:
    """Where a long value ends that goes on in the next line."""
    while end - start >= MIN_RANDOM and (more := _NEXT_LINE.match(text, end)):
        if not (is_random(more.group(1)) or HEX.match(more.group(1))):
            break
        end = more.end(1)
    return end


def _value(text: str, at: int, most: int = MAX_VALUE) -> Span:
    """Where the value that begins at `at` ends: its closing quote, else the first blank or bracket."""
    at += len(_PREFIX.match(text, at).group())  # type: ignore[union-attr]
    if text.startswith("{", at) and (braced := _BRACED.match(text, at)):
        return at, braced.end()
    if items := _ITEMS.match(text, at):
        return items.span(1) if items.group(1) else items.span(2)
    while text[at : at + 1] == "\\":
        at += 1
    if text.startswith(("&quot;", "&#34;", "&#39;"), at):
        start = text.index(";", at) + 1
        end = text.find("&", start, start + MAX_VALUE)
        return start, end if end >= 0 else min(len(text), start + MAX_VALUE)
    if at < len(text) and text[at] in _INSIDE:
        return _quoted(text, at)
    if at > 0 and text[at - 1] in "\"'" and text[at - 2 : at - 1] in (",", " ", "("):
        return _quoted(text, at - 1)
    bare = _BARE.match(text, at, min(len(text), at + most))
    end = bare.end() if bare else at
    while end > at and text[end - 1] in ".:!?\\":
        end -= 1
    return at, end


def _quoted(text: str, at: int) -> Span:
    inside = _INSIDE[text[at]].match(text, at + 1, min(len(text), at + 1 + MAX_VALUE))
    end = inside.end() if inside else at + 1
    return at + 1, end - 1 if end > at + 1 and text[end - 1] == "\\" else end


def _in_prose(written: str, value: str, after: str) -> bool:
    """`pwd: prefer one thing`: a word of a sentence, and more of them behind it. Persons' names are words, too."""
    return (
        not _OF_A_PERSON.search(written)
        and written.rstrip().endswith(":")
        and written[-1].isspace()
        and value.isalpha()
        and (value.islower() or value.istitle())
        and bool(_MORE_WORDS.match(after))
    )


def _in_code(text: str, match: Any, start: int, end: int) -> bool:
    """A program's own words: `token = get_token(user)`, `${PASSWORD:?missing}`, `arn:...:secret:prod/db`, `nextPageToken`."""
    if _GOES_ON.match(text, end) and _EXPRESSION.match(text[start:end]):
        return True
    if (match.group().endswith("= ") and _ATTRIBUTE.match(text[start:end])) or _OWN.match(text[start:end]):
        return True
    if match.group().endswith(": ") and _TYPE.match(text[start:end]) and _AFTER_TYPE.match(text, end):
        return True
    before = text[max(0, match.start() - 120) : match.start() + 1]
    if text[start] == "?" and before.endswith("${"):
        return True
    in_arn = "arn:" in before[max(before.rfind(" "), before.rfind("=")) + 1 :]
    return in_arn or bool(_PLACE_IN_LIST.search(text[max(0, match.start() - 14) : match.end()]))
