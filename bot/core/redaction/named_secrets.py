"""Secrets that are recognised by what stands before them: a name (`DB_PASSWORD=`), a header, a flag, a user in an address.

The name says that a secret follows, the value decides whether one does: `password: expired` and `tokens=512` are none.
Patterns run on RE2; the end of a value is searched reading each character once.
"""

import re
from collections.abc import Callable, Iterator

import re2

from bot.core.redaction.phrases import LOGIN, MAYBE, PHRASES, SCHEME, SERVER, TELEPHONE
from bot.core.redaction.secret_words import MARKS, NAME, NO_SECRET_KEY, OF_A_PERSON, PASSWORD, RANDOM_ONLY, Span
from bot.core.redaction.values import (
    CAMEL,
    HEX,
    MIN_RANDOM,
    MIN_STRONG,
    classes,
    decoded,
    is_harmless,
    is_hex_secret,
    is_random,
    is_secret,
    is_strong,
)
from bot.core.text.patterns import Match, Several, any_of, screen_of

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
_RANDOM_ONLY = rf"(?i)(?:^|\b|[^A-Za-z0-9])({RANDOM_ONLY}){MARKS}(?:\s{{0,4}}(?:=>|:=|=|:)\s{{0,4}}|\]?\)?\s{{0,4}}=\s{{0,4}})"
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
_IN_SENTENCE = (
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
_FORTY_APART = re.compile(r"(?<![^\s\"'=:,(])[A-Za-z0-9/+]{40}(?![^\s\"',;)])")
"""The same without what stands around it: one blank may part two of them. Bounded, so linear in the standard library too."""
_KEY_ID = re2.compile(r"\bA[KS]IA[A-Z0-9]{12,}")
"""Its other half, beside which a word of that length is hardly a path."""
_QUERY = r"(?i)[?&;](?:key|auth|code|sid|session|ticket|t|s)=([^&\s\"'#<>]{8,})"
_HOOK = (
    r"(?i)https?://[^\s\"'<>?#/]{3,120}/(?:[\w\-]+/){0,6}?(?:[\w\-]*hooks?|heartbeat|integrations?|with/key|alert|ping|magic|reset[\w\-]*|"
    r"invite|activate)"
    r"(?:/[\w.\-]{1,40}){0,4}?/([A-Za-z0-9_\-]{16,})|https?://hc-ping\.com/([A-Za-z0-9_\-]{16,})"
)
"""Whoever knows such an address may post to it: the end of its path is the secret."""
_ALERT_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}-1[0-9]{12}")
"""A UUID with its moment in milliseconds: how Opsgenie numbers alerts, whose pages stand below `/alert/detail/`."""
_NETRC = r"(?i)\blogin\s+\S{1,80}\s+(password)\s+|\bmachine\s+\S{1,80}\s+(password)\s+"

_NAMED = (_RANDOM_ONLY, _PAIRED, _NESTED, _PLAIN, _FORM, _FLAG, _TAGGED, _CELL, _IN_SENTENCE, _NETRC)
_FORMATS = (_BASIC, _QUERY, _HOOK, TELEPHONE, SERVER, LOGIN, SCHEME)
_RULES = {
    pattern: any_of(pattern, capture=pattern in (*PHRASES, *MAYBE, *_FORMATS, _AHEAD))
    for pattern in (*PHRASES, *MAYBE, *_NAMED, _NEAR, _AHEAD, *_FORMATS, _FORTY)
}
_BEHIND_NAMES = (*_NAMED, _NEAR)
SCREENS = (screen_of(*_BEHIND_NAMES), screen_of(*(pattern for pattern in _RULES if pattern not in _BEHIND_NAMES)))
"""One of them matches wherever `named_secrets` finds something: what looks for a name first, and the others."""
_WHICH, _ORDER = Several(*_RULES, screens=SCREENS), tuple(_RULES)
_DATE_OR_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,3}(?:\.[0-9]{1,3}){2,}$")
_PORT = re.compile(r"[0-9.:]+(?:/(?:tcp|udp))?$")
_NO_SECRET_KEY = re2.compile(NO_SECRET_KEY)

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
MIN_RANDOM_ONLY, MIN_HOOK, MAX_NEAR = 10, 24, 512
_ATTRIBUTE = re.compile(r"^[a-z_]+(?:[A-Z][a-z]+)*(?:\.(?:[a-z_]+(?:[A-Z][a-z]+)*|[A-Z]+(?:_[A-Z]+)*))+$")
_GOES_ON = re.compile(r"[(\[]| \+ ")
_OWN = re.compile(r"(?:self|cls|this|config|settings|args|opts|options|os|env|process|request|kwargs|ctx|app)\.[A-Za-z_.]+$")
_TYPE = re.compile(r"(?:[a-z_]+\.)*_?[A-Z][A-Za-z]+$")
_AFTER_TYPE = re.compile(r"\[|\s?\||\s=\s|\)\s?->")
_EXPRESSION = re.compile(
    r"^(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[a-z_]+(?:[0-9]{1,3}[a-z_]*)?)(?:\.(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[a-z_]+))*$"
)
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
    for index in _WHICH.within(text):
        pattern = _ORDER[index]
        rule = _RULES[pattern]
        if pattern in _NAMED:
            yield from _behind_names(text, pattern)
        elif pattern == _NEAR:
            yield from _beside_names(text)
        elif pattern == _AHEAD:
            yield from _before_names(text)
        elif pattern == _FORTY:
            yield from _forty(text)
        else:
            is_value = _VALUE_TESTS.get(pattern, _is_no_word)
            spans = (match.span(match.lastindex or 1) for match in rule.finditer(text))
            yield from ((start, end) for start, end in spans if is_value(text[start:end]))


def _is_no_word(value: str) -> bool:
    """Whether what stands at a secret's place is one and no word like "missing"."""
    return not is_harmless(value)


def _encoded_pair(value: str) -> bool:
    return ":" in decoded(value)


def _is_high_entropy(value: str) -> bool:
    return is_random(value) or is_hex_secret("token", value)


def _end_of_hook(value: str) -> bool:
    """Also long words of letters alone, and slugs with a few digits: nobody names the path of a page like that."""
    if _ALERT_ID.fullmatch(value):
        return False
    digits = sum(char.isdigit() for char in value)
    return _is_high_entropy(value) or (len(value) >= MIN_HOOK and (value.isalnum() or digits > 1))


def _telephone(value: str) -> bool:
    return sum(char.isdigit() for char in value) > 6 and not _DATE_OR_VERSION.match(value)


def _no_port(value: str) -> bool:
    return not is_harmless(value) and not _PORT.match(value) and not (value.isalpha() and value.islower())


def _made(value: str) -> bool:
    return _is_high_entropy(value) or is_strong(value)


def _encoded(value: str) -> bool:
    return "=" in value or (classes(value) > 1 and not CAMEL.match(value))


_VALUE_TESTS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(MAYBE, is_strong),
    _BASIC: _encoded_pair,
    _QUERY: _is_high_entropy,
    _HOOK: _end_of_hook,
    TELEPHONE: _telephone,
    SERVER: _no_port,
    LOGIN: _encoded,
    SCHEME: _made,
}
"""Pattern -> what its value has to be like."""


def _forty(text: str) -> Iterator[Span]:
    for match in _FORTY_APART.finditer(text):
        word = match.group()
        few = 0 if _KEY_ID.search(text) else 1
        mixed = classes(word) == 3 and sum(char.isdigit() for char in word) > few
        if mixed and not CAMEL.match(word) and not word.startswith("/") and word.count("/") < 4:
            yield match.start(), match.end()


def _behind_names(text: str, pattern: str) -> Iterator[Span]:
    searched_to = 0
    for match in _RULES[pattern].finditer(text):
        if match.end() <= searched_to:
            # Inside of a value: names may stand there, and each of them would search on to the same end.
            continue
        written, mark = match.group(), text[match.end() : match.end() + 1]
        if mark in _INSIDE and (pattern == _TAGGED or (written[0] == mark and written.count(mark) == 1)):
            # The name itself stands in quotation marks, and this one closes them: `DB_PASSWORD=`.
            continue
        start, end = _value(text, match.end())
        if _ANOTHER_NAME.match(text, end) or text.startswith("::", match.end() - 1):
            # Another name, or the path of one: `creds: SessionToken: ...`, `token::description`.
            continue
        searched_to = end
        value = text[start:end]
        if start >= end or is_harmless(value) or not _fits(pattern, written, value):
            continue
        if not _in_prose(written, value, text[end : end + 24]) and not _in_code(text, match, start, end):
            yield start, _continued(text, start, end)


def _fits(pattern: str, written: str, value: str) -> bool:
    """Whether the value is what the name promises, by how much the pattern tells."""
    if pattern == _CELL:
        return is_strong(value) or is_hex_secret(written, value) or (len(value) >= MIN_RANDOM and is_random(value))
    if pattern == _RANDOM_ONLY:
        long = len(value) >= MIN_RANDOM and is_random(value)
        return not _NO_SECRET_KEY.search(written) and (
            is_hex_secret("", value) or long or (len(value) >= MIN_RANDOM_ONLY and is_strong(value))
        )
    return is_secret(written, value, in_sentence=pattern == _IN_SENTENCE)


def _beside_names(text: str) -> Iterator[Span]:
    """Words of high entropy right beside "key", "token" and the like."""
    for match in _RULES[_NEAR].finditer(text):
        start, end = _value(text, match.end(), MAX_NEAR + 1)
        word, name = text[start:end], match.group()
        if not MIN_STRONG <= len(word) <= MAX_NEAR:
            continue
        if len(word) >= MIN_RANDOM:
            secret = is_random(word) or is_hex_secret(name, word)
        else:
            secret = is_strong(word) and _CALLED.search(name)
        secret = secret and not _NO_SECRET_KEY.search(text[max(0, match.start() - 20) : match.end()])
        if secret and not _in_code(text, match, start, end):
            yield start, end


def _before_names(text: str) -> Iterator[Span]:
    """Words of high entropy right before "token" and the like: `... api token`."""
    for match in _RULES[_AHEAD].finditer(text):
        word = match.group().split()[0].rstrip("\"'`")
        mixed = any(c.islower() for c in word) and any(c.isupper() for c in word) and "/" not in word
        if (mixed and is_random(word)) or (match.group(1) and is_hex_secret("token", word)):
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
        not OF_A_PERSON.search(written)
        and written.rstrip().endswith(":")
        and written[-1].isspace()
        and value.isalpha()
        and (value.islower() or value.istitle())
        and bool(_MORE_WORDS.match(after))
    )


def _in_code(text: str, match: Match, start: int, end: int) -> bool:
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
