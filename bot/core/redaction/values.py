"""Whether a value is a secret: made like a password, of high entropy, or a word, a count, a place, the name of an object."""

import base64
import re

import re2

from bot.core.redaction.secret_words import OF_A_PERSON, PASSWORD, PERSON

_NOTHING = re.compile(
    r"(?i)^(?:true|false|null|nil|none|yes|no|on|off|ok|empty|unset|undefined|missing|required|invalid|expired|wrong|incorrect|"
    r"correct|valid|denied|failed|rejected|reset|resets?|changed|rotated|rotation|unknown|present|absent|set|not|is|was|for|the|a|an|"
    r"redacted|hidden|masked|removed|omitted|encrypted|authentication|auth|bucket|buckets|bearer|basic|string|str|secretstr|optional|bytes|int|object|"
    r"type|name|file|page|parameters?|options?|arguments?|flags?|again|once|error|errors|field|policy|manager|service|store|vault|server|issuer|length|too|must|does|has|and|or|"
    r"in|on|at|of|to|from|by|with|without|cannot|could|rate|count|size|value|cache|limit|used|left|refresh(?:ed)?|accepted|"
    r"verification|verified|check(?:ed)?|mismatch(?:ed)?|update(?:d)?|create(?:d)?|delete(?:d)?|revoked?|granted|unauthorized|forbidden)$"
)
_PLACEHOLDER = re.compile(
    r"^(?:[*x•.X#\-_]{3,}|[\w\-]{2,8}\*{3,}|\[[\w \-]+\]|<[\w \-]+>|\$[{(]?\w+[})]?|\{\{.*|\{[\w.]+\}|"
    r"[A-Za-z_][A-Za-z_.]*\(.*|%[\w(]+.*|\(.*\)|@[\w.\-]+)$"
)
_PASSWORDLIKE = re2.compile(rf"(?i)(?:{PASSWORD}|cvv2?|cvc|otp|totp|pin_?code|{PERSON}|_auth\b)")
_CODES = re2.compile(r"(?i)\W?(?:pin|otp|code)\b")
_NUMBERED = re2.compile(r"(?i)(?:cvv2?|cvc|otp|pin_?code|phone|mobile|msisdn|ssn|_number|iban)\W")
_IDENTIFIER = re2.compile(r"(?i)key[_\-]?id\W")
_PROSE = re.compile(r"^[A-Za-z][a-z']*(?: [a-z']+){3,}[.!]?$")
"""A sentence in quotation marks."""
_PASSWORDS = re2.compile(r"(?i)pass|pwd|pin|otp|cv[vc]")
_MADE_UP = re.compile(r"^[a-z]{2,}(?:[-_./:](?:[a-z]{2,}|v?[0-9]{1,3}))+(?:-[a-z0-9]{5,10})?$")
"""Words that people joined: the name of an object, as in `secret="checkout-tls"`, which holds a secret and is none."""
_COUNTED = re.compile(r"(?i)^[<>=~]*[-+]?[0-9][0-9.,_:]*(?:%|[a-z]{1,3}|/[a-z]+)?$")
_STATE = re.compile(
    r"^[A-Z]?[a-z]+(?:[A-Z][a-z]+)*(?:Error|Exception|Failed|Failure|Expired|NotFound|Denied|Missing|Timeout|Ready)$"
)
"""What became of a secret: `creds: SecretSyncedError`."""
_ADJECTIVE = re.compile(r"^[A-Za-z]+[0-9]{0,3}(?:[-_/][a-z]+){1,2}$")
_ALGORITHM = re.compile(
    r"(?i)^(?:hmac[-_]?)?(?:aes|sha|md|rs|es|hs|ps|pbkdf|bcrypt|scrypt|argon|ed|ecdsa|rsa|x|tls|base|utf|oauth|oidc|http|v)[-_]?[0-9]"
)
_ITSELF = re.compile(
    r"(?i)^(?:(?:your|my|the|new|old|user|db|api|access|auth|secret)[_\-. ]?)*"
    r"(?:pass(?:word|wd|phrase)|secrets?|tokens?|keys?|credentials?)(?:[_\- ]here)?$"
)
"""A word that stands for one, as in `--password PASSWORD` and `api_key: YOUR_API_KEY_HERE`."""
_UUID = re.compile(r"(?i)^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")
HEX = re.compile(r"(?i)^(?:0x)?[0-9a-f]{7,128}$")
_SLUG = re.compile(r"^[a-z0-9]+(?:[-_./:][a-z0-9]+)+$|^[A-Z]{2,8}(?:-[0-9]+)+$")
CAMEL = re.compile(r"^[A-Z]?[a-z]+[0-9]{0,3}(?:[A-Z][a-z]+[0-9]{0,3})*$|^[A-Z]+[0-9]{0,3}$|^[A-Z]+(?:_[A-Z]+)+$")
_VAGUE = ("key",)
_MARKS_BESIDE = " \t\r\n\"'`([<:="
_BASE64 = re.compile(r"^[A-Za-z0-9+/]+$")
MIN_STRONG, MIN_RANDOM = 6, 14
"""Characters that a value needs to be recognised as a password, as a key."""


def is_harmless(value: str) -> bool:
    stripped = value.strip()
    return not stripped or bool(_NOTHING.match(stripped) or _PLACEHOLDER.match(stripped) or _ITSELF.match(stripped))


def is_secret(written: str, value: str, *, in_sentence: bool) -> bool:
    """Whether what follows a name is one: passwords may be anything, tokens and keys are at least long and no count."""
    if len(value) < (2 if OF_A_PERSON.search(written) else 3) or _is_location(value) or _STATE.match(value):
        return False
    if _NUMBERED.search(written) and sum(char.isdigit() for char in value) < 3:
        return False
    if value.isdigit() and written.lower().rstrip("=: ").endswith("name"):
        return False
    if _PROSE.match(value) and "phrase" not in written.lower():
        return False
    if written.rstrip("\"'").rstrip().endswith(",") and (not _odd(value) or _MADE_UP.match(value) or " " in value):
        # Fields beside each other: `["username", "password", "email"]`.
        return False
    if in_sentence:
        return len(value) >= 5 and _is_secret_in_sentence(written, value)
    if _MADE_UP.match(value) and not _PASSWORDS.search(written):
        return False
    if _PASSWORDLIKE.search(written):
        glued = written.rstrip().endswith(":") and not written.endswith((" ", "\n", '"', "'"))
        return _odd(value) or (len(value) >= 4 and not glued and not _sentence(written, value))
    if len(value) < (14 if _IDENTIFIER.search(written) else 6) or _COUNTED.match(value):
        return False
    return _odd(value) or len(value) >= (24 if value.isalpha() and value.islower() else 12)


def _is_secret_in_sentence(written: str, value: str) -> bool:
    """Whether what somebody says behind "the password is" is one and no adjective: `case-sensitive`, `base64-encoded`."""
    if written.endswith(" to ") and not _PASSWORDLIKE.search(written):
        # `add the key to README.md`, and `set the key to ...`.
        return is_hex_secret("", value) or (len(value) >= MIN_RANDOM and is_random(value))
    if _ADJECTIVE.match(value) or _ALGORITHM.match(value):
        return False
    if _PASSWORDLIKE.search(written) and not _CODES.match(written):
        return _odd(value)
    if _CODES.match(written):
        return value.isdigit()
    return (classes(value) >= 2 and len(value) >= 8 and not _SLUG.match(value) and not CAMEL.match(value)) or is_hex_secret(
        written, value
    )


def is_strong(value: str) -> bool:
    """Whether a short word is made like a password: letters of both cases, digits and signs, three of the four."""
    if (
        len(value) < MIN_STRONG
        or CAMEL.match(value)
        or is_harmless(value)
        or _is_location(value)
        or _ALGORITHM.match(value)
        or " " in value
    ):
        return False
    return classes(value) + any(c in "!@#$%^&*+?~" for c in value) >= 3


def _sentence(written: str, value: str) -> bool:
    """`password: the page is slow`: a word of a sentence after a colon and a blank."""
    return written.endswith(": ") and value.isalpha() and value.islower() and len(value) < 5


def _odd(value: str) -> bool:
    """Whether it is no word: digits, signs or a mix of cases."""
    return not value.isalpha() or not (value.islower() or value.istitle() or value.isupper())


def _is_location(value: str) -> bool:
    """A path or an address, which is where a secret lies and not the secret."""
    return value.startswith(("/", "./", "../", "http://", "https://", "arn:", "file:", "vault:secret", "projects/"))


def is_hex_secret(name: str, value: str) -> bool:
    """A long number in hexadecimal right behind a word that means a secret; a "key" may be anything's."""
    return name.lower().strip(_MARKS_BESIDE).rstrip("s") not in _VAGUE and bool(
        _UUID.match(value) or (len(value) >= 24 and HEX.match(value))
    )


def decoded(word: str) -> str:
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4)).decode()
    except ValueError:
        return ""


def is_random(value: str) -> bool:
    """Whether a word has high entropy: no name, number, path, hash or identifier as logs are full of."""
    if len(value) >= 36 and value.isalpha() and value.isascii():
        return True
    if _UUID.match(value) or HEX.match(value) or _SLUG.match(value) or CAMEL.match(value) or _COUNTED.match(value):
        return False
    if len(value) == 40 and _BASE64.match(value) and any(c.isdigit() for c in value):
        return True
    if (
        _is_location(value)
        or "://" in value
        or value.count("/") > 1
        or value.count(":") > 1
        or not value.isascii()
        or is_harmless(value)
    ):
        return False
    return classes(value) >= 2 and sum(c.isalnum() for c in value) >= 0.8 * len(value)


def classes(value: str) -> int:
    """How many of small letters, capitals and digits it holds."""
    return sum((any(c.islower() for c in value), any(c.isupper() for c in value), any(c.isdigit() for c in value)))
