"""Secrets that are told by what stands before them: a name (`DB_PASSWORD=`), a header, a flag, a user in an address.

The name says that a secret follows, the value decides whether one does: `password: expired` and `tokens=512` are none.
Patterns run on RE2; where a value ends is found by looking at each character once.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import re2

Span = tuple[int, int]

_PASSWORD = (
    r"pass(?:word|wd|phrase|code|wort)|passw|pwd|pswd|psw|[_\-.]pass|(?:user|smtp|db|root|admin|mail)pass|secrets?|credentials?|creds|contrase(?:ñ|n)a|senha|mot_?de_?passe|пароль|"
    r"kennwort|密码|passwort"
)
_TOKEN = (
    r"tokens?|jwt|bearer|_?authtoken|session_?id|sessionid|phpsessid|jsessionid|connect\.sid|"
    r"otp|totp|mfa_?code|cvv2?|cvc|pin_?code"
)
_KEY_OF = (
    r"api|access|secret|private|signing|signature|encryption|encrypt|decryption|encryptor|routing|integration|license|licence|"
    r"account|master|shared|client|ingest|application|app|storage|ssh|ssl|tls|webhook|deploy|hmac|jwt|aes|rsa|des|consumer|"
    r"subscription|admin|root|service|write|read|auth|bot|server|project|tenant|event|events|instrumentation|backup|recovery|"
    r"unseal|sas|shared_?access|rndc|tsig|wep|wpa|psk|host|session|cookie|data|dd|dsn|push|function|functions|system|security|"
    r"transport|gossip|cluster|erlang|erl"
)
_KEY = (
    rf"(?:{_KEY_OF})[_\-. ]?(?:api[_\-]?|access[_\-]?|app[_\-]?)?keys?(?:[_\-]?(?:id|base|material))?|"
    r"apikey|accesskey|secretkey"
)
_OTHER = (
    r"authorization|proxy-authorization|x-auth|x-amz-(?:credential|signature|security-token)|x-goog-(?:credential|signature)|"
    r"client-key-data|client-certificate-data|key-data|dockerconfigjson|\.dockerconfigjson|_auth|_password|"
    r"connection_?string|conn_?str|database_?url|dsn|nonce_?secret|seed_?phrase|mnemonic|recovery_?phrase|cookie_?value|psk|"
    r"secret_?id|[a-z]_session|access_?code|auth_?code|authorization_?code|verification_?code|[a-z]_cookie|code_verifier|client_assertion|saml_?response|"
    r"samlresponse|x-[a-z]+-signature(?:-[0-9]+)?"
)
_PERSON = (
    r"(?:customer|patient|cardholder|card_?holder|holder|billing|full|first|last|given|family|sur|maiden|account_?holder|"
    r"beneficiary|passenger|guest|contact)[_\- ]?name|date_?of_?birth|"
    r"birth_?date|birthday|dob|ssn|social_?security(?:_?number)?|national_?id|"
    r"passport(?:_?(?:no|number))?|tax_?id|iban|driver_?licen[cs]e|street_?address|home_?address|billing_?address|"
    r"account_?number|card_?number|phone(?:_?number)?|mobile(?:_?number)?|msisdn"
)
_ANY_NAME = rf"(?:{_PASSWORD}|{_TOKEN}|{_KEY}|{_OTHER}|{_PERSON})"
_SUFFIX = (
    r"(?:[_\-.](?:b64|base64|value|val|enc|encoded|encrypted|plain|text|data|string|hash|prod|production|staging|dev|test|old|new|"
    r"current|previous|main|primary|secondary|default|ro|rw|eu|us|[0-9]{1,2})|[0-9]{1,2})*"
)
_NAME = rf"[A-Za-z0-9_.\-]*?(?:{_ANY_NAME})s?{_SUFFIX}"
_MARKS = r"(?:\\*[\"'`]|&quot;|&#3[49];)?"
_PLAIN = (
    rf"(?i)(?:^|\b|[^A-Za-z0-9])({_NAME}){_MARKS}\]?\)?"
    r"\s{0,8}(?:=>|:=|->|=|:\*{0,2}|\t|,\s{0,2}[\"'])\s{0,8}(?:[|>]-?\s*\n\s*)?"
)
_TAGGED = rf"(?i)<(?:\w+:)?({_NAME})(?:\s[^<>]{{0,80}})?>"
_PAIRED = (
    rf"(?i){_MARKS}(?:name|key|n)(?:{_MARKS}\s{{0,4}}[:=]\s{{0,4}}){_MARKS}({_NAME}){_MARKS}[\s,;}}{{]{{0,20}}"
    rf"{_MARKS}(?:value|val|v){_MARKS}\s{{0,4}}[:=]\s{{0,4}}"
)
_FLAG = rf"(?i)(?:^|\s)--?({_NAME})\s+"
_SPOKEN = (
    rf"(?i)\b({_PASSWORD}|token|key|pin|pw|api key|access key|secret key|login|auth code|otp|code)"
    r"(?: (?:for|of|to|on|von|für|de|del|pour) [\w.@\-]{1,40}){0,2}"
    r"\s+(?:is|was|are|now|ist|es|est|lautet|=|set to|changed to|to)(?: now)?:?\s+|"
    rf"\b(?:{_PASSWORD}|token|key|pin|login)(?: (?:for|of|to|on) [\w.@\-]{{1,40}}){{1,2}}\s?[:=]\s?"
)
_NEAR = (
    rf"(?i)\b(?:(?:api|access|secret|private|signing|licen[sc]e|auth|deploy|global|master|root|admin)[ _\-]?(?:key|token)|"
    rf"{_PASSWORD}|token|key|bearer|auth|pat|credential)s?"
    r"[\s\"'`(\[<:=]{1,4}"
)
_BASIC = r"(?i)\bbasic\s+([A-Za-z0-9+/_\-]{8,}={0,2})"
_FORTY = r"(?:^|[\s\"'=:,(])[A-Za-z0-9/+]{40}(?:$|[\s\"',;)])"
"""A bare secret key of AWS has no other mark than its length and letters."""
_QUERY = r"(?i)[?&;](?:key|auth|code|sid|session|ticket|t|s)=([^&\s\"'#<>]{8,})"
_NETRC = r"(?i)\blogin\s+\S{1,80}\s+(password)\s+|\bmachine\s+\S{1,80}\s+(password)\s+"

_FIXED = (
    # A user's password, or a key in a user's place, in an address of any scheme.
    r"(?i)\b[a-z][a-z0-9+.\-]*://[^\s:/@\"'<>]*:([^\s@/\"'<>]+(?:/[^\s@/\"'<>]+)?)@",
    r"(?i)\b[a-z][a-z0-9+.\-]*://([0-9a-z_\-]{20,})@",
    # Headers and what curl and others take on the command line.
    r"(?i)\b(?:proxy-)?authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:basic|bearer|token|apikey|negotiate|ntlm|ssws|key|geniekey|splunk|"
    r"klog|bot|apitoken|api-token|[a-z\-]{2,20})\s+([^\s\"'\\,;]+)",
    r"(?i)\b(?:proxy-)?authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:digest|hmac|signature|aws4-hmac-sha256|oauth)\s+([^\s\"'\\][^'\n\\]*)",
    r"(?i)\bbearer\s+([A-Za-z0-9._~+/\-]{8,}=*)",
    r"(?i)\b(?:ssws|geniekey)\s+([A-Za-z0-9+/_\-]{12,}=*)",
    r"(?i)\b(?:set-)?cookie\\*[\"']?\s*[:=]\s*\\*[\"']?([^\s\"'\\][^\"'\n\\]*)",
    r"(?i)[?&;](?:token|access_token|api_?key|apikey|sig|signature|secret|password|pwd|pass|jwt|hmac|"
    r"x-[a-z]+-signature|x-[a-z]+-credential)=([^&\s\"'#<>]{6,})",
    r"(?:^|\s)(?:-u|--user|--proxy-user)[\s=]+[\"']?[^\s:\"']{1,80}:([^\s\"']+)",
    r"(?i)\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|]{0,120}\s-p([^\s\"'-][^\s\"']*)",
    r"(?i)\b(?:sshpass|docker login|podman login|helm registry login|smbclient|ldap\w*|"
    r"redis-cli|mongo(?:sh|dump)?|sqlcmd|zip|unzip)\b"
    r"[^\n|]{0,120}?\s-(?:p|w|a|P)\s?[\"']?([^\s\"']{4,})",
    r"(?i)\bhttp-?basic(?:-auth)?[\s:=]+\S{1,60}:(\S+)",
    r"(?i)\b(?:change_password|add_user|set_password|set-password|chpasswd)\s+\S{1,60}\s+([^\s'\"]{4,})",
    r"(?i)\b(?:identified by|with(?: encrypted)? password|password)\s+'([^'\n]{3,})'",
    r"(?i)\b(?:seed|recovery|mnemonic|secret)[ _]?(?:phrase|words)?[\"']?\s*[:=]\s*[\"']?([a-z]{3,8}(?: [a-z]{3,8}){11,23})",
    r"\b[\w\-]{1,40}/([^\s/@:\"']{4,})@[\w.\-]+(?::[0-9]{2,5})?/\w+",
    r"(?i)\b(?:otp|verification|one-time|2fa|mfa|security|sms|login|auth)[ \-](?:code|pin|password)\s*"
    r"(?:is|:|=|was)?\s*([0-9]{4,8})\b",
    r"(?i)\b(?:creds?|credentials|auth|login)\s*[:=]\s*[(\[]\s*[\"'][^\"']{1,80}[\"']\s*,\s*[\"']([^\"']{3,})[\"']",
    # pgpass: host, port, database, user, password.
    r"(?:^|\s)[\w.\-*]+:(?:[0-9]{2,5}|\*):[\w\-*]+:[\w\-]+:([^\s:]{4,})",
    # One-time keys, and the answer to a signature.
    r"(?i)\botpauth://[^\s\"']*?secret=([A-Z2-7=]{8,})",
    r"(?i)\b(?:pw|pass|creds?|credentials|login)\s?[:=]\s?(?:[\w.@\-]{2,30}[/:])?([^\s\"'/,;]*[0-9!#$%&?][^\s\"',;]*)",
    r"(?i)\buser(?:name)?\s[^\s/]{1,40}\s?/\s?(?:pass|pw|password)?\s?([^\s/,;]{4,})",
    r"(?i)\bsignature=\\*[\"']?([A-Za-z0-9+/=%_\-]{16,})",
    # A line of shadow or htpasswd, and Kubernetes' bootstrap tokens.
    r"(?i)\b(?:kubeadm join|bootstrap)[^\n]{0,120}?\b([a-z0-9]{6}\.[a-z0-9]{16})\b",
    r"(?i)\b(?:accountkey|sharedaccesskey|sharedsecret|sharedaccesssignature)=([^\s;\"']{8,})",
)


def linear(*patterns: str, capture: bool = False) -> Any:
    """One RE2 pattern of several. Without captures a match costs no more than finding it."""
    options = re2.Options()
    options.never_capture = not capture
    options.max_mem = 128 << 20
    return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), options)


_FIXED_RULES = tuple(linear(pattern, capture=True) for pattern in _FIXED)
_SPOKEN_RULE, _NEAR_RULE = linear(_SPOKEN), linear(_NEAR)
_FORTY_RULE = linear(_FORTY)
_BASIC_RULE, _QUERY_RULE = linear(_BASIC, capture=True), linear(_QUERY, capture=True)
_RULES = (*map(linear, (_PAIRED, _PLAIN, _TAGGED, _FLAG)), _SPOKEN_RULE, linear(_NETRC))
_ANY = linear(*_FIXED, _PAIRED, _PLAIN, _TAGGED, _FLAG, _SPOKEN, _NETRC, _NEAR, _BASIC, _QUERY, _FORTY)
"""All of them at once: one pass tells that nothing is here, as nearly always."""

_NOTHING = re.compile(
    r"(?i)^(?:true|false|null|nil|none|yes|no|on|off|ok|empty|unset|undefined|missing|required|invalid|expired|wrong|incorrect|"
    r"correct|valid|denied|failed|rejected|reset|resets?|changed|rotated|rotation|unknown|present|absent|set|not|is|was|for|the|a|an|"
    r"redacted|hidden|masked|removed|omitted|encrypted|authentication|auth|bucket|buckets|bearer|basic|string|str|bytes|int|object|"
    r"type|name|file|page|error|errors|field|policy|manager|service|store|vault|server|issuer|length|too|must|does|has|and|or|"
    r"in|on|at|of|to|from|by|with|without|cannot|could|rate|count|size|value|cache|limit|used|left|refresh(?:ed)?|accepted|"
    r"verification|verified|check(?:ed)?|mismatch(?:ed)?|update(?:d)?|create(?:d)?|delete(?:d)?|revoked?|granted|unauthorized|forbidden)$"
)
_HELD_BACK = re.compile(r"^(?:[*x•.X#\-_]{3,}|\[[\w \-]+\]|<[\w \-]+>|\$[{(]?\w+[})]?|\{\{.*|%[\w(]+.*|\(.*\)|@[\w.\-]+)$")
_PASSWORDLIKE = re2.compile(rf"(?i)(?:{_PASSWORD}|cvv2?|cvc|otp|totp|pin_?code|{_PERSON}|_auth\b)")
_PASSWORDS = re2.compile(r"(?i)pass|pwd|pin|otp|cv[vc]")
_MADE_UP = re.compile(r"^[a-z]{2,}(?:[-_./:](?:[a-z]{2,}|v?[0-9]{1,3}))+$")
"""Words that people joined: the name of an object, as in `secret="checkout-tls"`, which holds a secret and is none."""
_COUNTED = re.compile(r"(?i)^[<>=~]*[-+]?[0-9][0-9.,_:]*(?:%|[a-z]{1,3}|/[a-z]+)?$")
_UUID = re.compile(r"(?i)^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")
_HEX = re.compile(r"(?i)^(?:0x)?[0-9a-f]{7,128}$")
_SLUG = re.compile(r"^[a-z0-9]+(?:[-_./:][a-z0-9]+)+$")
_CAMEL = re.compile(r"^[A-Z]?[a-z]+(?:[A-Z][a-z]+)*[0-9]{0,3}$|^[A-Z]+[0-9]{0,3}$|^[A-Z]+(?:_[A-Z]+)+$")
_BARE = re.compile(r"[^\s\"'`<>,;&|{}()\[\]]+")
_INSIDE = {quote: re.compile(rf"(?:[^{quote}\\\n]|\\(?!{quote}).)*\\?") for quote in "\"'`"}
"""What stands before the closing quote. A quote that is escaped itself closes: its opening one was escaped too."""
_VAGUE = ("key", "auth", "pat", "credential")
_MARKS_BESIDE = " \t\r\n\"'`([<:="
_BASE64 = re.compile(r"^[A-Za-z0-9+/]+$")
MAX_VALUE = 4_096
MIN_NEAR, MAX_NEAR = 14, 512


def named_secrets(text: str) -> Iterator[Span]:
    """Spans of values that a name, a header, a flag or an address says are secret."""
    if not _ANY.search(text):
        return
    for pattern in _FIXED_RULES:
        for match in pattern.finditer(text):
            start, end = match.span(1)
            if not _harmless(text[start:end]):
                yield start, end
    yield from _behind_names(text)
    yield from _beside_names(text)
    for match in _BASIC_RULE.finditer(text):
        if ":" in _decoded(match.group(1)):
            yield match.span(1)
    for match in _FORTY_RULE.finditer(text):
        word = match.group().strip(" \t\r\n\"'=:,();")
        if _classes(word) == 3 and not _CAMEL.match(word) and not word.startswith("/") and word.count("/") < 4:
            at = match.start() + match.group().index(word)
            yield at, at + len(word)
    for match in _QUERY_RULE.finditer(text):
        if _random(match.group(1)) or _drawn("token", match.group(1)):
            yield match.span(1)


def _behind_names(text: str) -> Iterator[Span]:
    for rule in _RULES:
        seen = 0
        for match in rule.finditer(text):
            if match.end() <= seen:
                # Inside of a value: names may stand there, and each of them would look on to the same end.
                continue
            start, end = _value(text, match.end())
            if text[end : end + 1] in (":", "="):
                # Another name: `creds: SessionToken: ...`.
                continue
            seen = end
            if start < seen and _is_secret(match.group(), text[start:seen], spoken=rule is _SPOKEN_RULE):
                yield start, seen


def _beside_names(text: str) -> Iterator[Span]:
    """Words drawn by lot right beside "key", "token" and the like."""
    for match in _NEAR_RULE.finditer(text):
        start, end = _value(text, match.end(), MAX_NEAR + 1)
        word = text[start:end]
        if MIN_NEAR <= len(word) <= MAX_NEAR and (_random(word) or _drawn(match.group(), word)):
            yield start, end


def _value(text: str, at: int, most: int = MAX_VALUE) -> Span:
    """Where the value that begins at `at` ends: its closing quote, else the first blank or bracket."""
    if text[at : at + 1] == "[" and text[at + 1 : at + 2] in _INSIDE:
        at += 1
    while text[at : at + 1] == "\\":
        at += 1
    if text.startswith(("&quot;", "&#34;", "&#39;"), at):
        start = text.index(";", at) + 1
        end = text.find("&", start, start + MAX_VALUE)
        return start, end if end >= 0 else min(len(text), start + MAX_VALUE)
    if at < len(text) and text[at] in _INSIDE:
        return _quoted(text, at)
    if at > 0 and text[at - 1] in "\"'" and text[at - 2 : at - 1] in (",", " "):
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


def _harmless(value: str) -> bool:
    shown = value.strip()
    return not shown or bool(_NOTHING.match(shown) or _HELD_BACK.match(shown))


def _is_secret(written: str, value: str, *, spoken: bool) -> bool:
    """Whether what follows a name is one: passwords may be anything, tokens and keys are at least long and no count."""
    if _harmless(value) or len(value) < 3 or _place(value):
        return False
    if spoken:
        return len(value) >= 5 and _odd(value)
    if _MADE_UP.match(value) and not _PASSWORDS.search(written):
        return False
    if _PASSWORDLIKE.search(written):
        glued = written.rstrip().endswith(":") and not written.endswith((" ", "\n", '"', "'"))
        return _odd(value) or (len(value) >= 4 and not glued and not _sentence(written, value))
    return len(value) >= 6 and not _COUNTED.match(value) and (len(value) >= 12 or _odd(value))


def _sentence(written: str, value: str) -> bool:
    """`password: the page is slow`: a word of a sentence after a colon and a blank."""
    return written.endswith(": ") and value.isalpha() and value.islower() and len(value) < 5


def _odd(value: str) -> bool:
    """Whether it is no word: digits, signs or a mix of cases."""
    return not value.isalpha() or not (value.islower() or value.istitle() or value.isupper())


def _place(value: str) -> bool:
    """A path or an address, which is where a secret lies and not the secret."""
    return value.startswith(("/", "./", "../", "http://", "https://", "arn:", "file:", "vault:secret", "projects/"))


def _drawn(name: str, value: str) -> bool:
    """A long number in hexadecimal right behind a word that means a secret; a "key" may be anything's."""
    return name.lower().strip(_MARKS_BESIDE).rstrip("s") not in _VAGUE and bool(
        _UUID.match(value) or (len(value) >= 24 and _HEX.match(value))
    )


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4)).decode()
    except ValueError:
        return ""


def _random(value: str) -> bool:
    """Whether a word looks drawn by lot: no name, number, path, hash or identifier as logs are full of."""
    if _UUID.match(value) or _HEX.match(value) or _SLUG.match(value) or _CAMEL.match(value) or _COUNTED.match(value):
        return False
    if len(value) == 40 and _BASE64.match(value) and any(c.isdigit() for c in value):
        return True
    if _place(value) or "://" in value or value.count("/") > 1 or not value.isascii() or _harmless(value):
        return False
    return _classes(value) >= 2 and sum(c.isalnum() for c in value) >= 0.8 * len(value)


def _classes(value: str) -> int:
    """How many of small letters, capitals and digits it holds."""
    return sum((any(c.islower() for c in value), any(c.isupper() for c in value), any(c.isdigit() for c in value)))
