"""Keys and tokens of some hundred vendors, after the public rules of gitleaks 8.30.1.

gitleaks.toml holds the rules as published (MIT, gitleaks-LICENSE). A rule is tried where one of its keywords occurs, in
upper or lower case; what its pattern captures is a secret if its entropy lies above the rule's and no allowlist holds it.
Format: https://github.com/gitleaks/gitleaks#configuration
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import NotRequired, TypedDict

from bot.core.redaction.secret_words import Span
from bot.core.text.patterns import Pattern, Several, any_of

LEFT_OUT = frozenset(
    {
        # It takes an idempotency key for a secret; bot.core.redaction.named_secrets looks closer at the value behind a name.
        "generic-api-key",
        # It takes every commit for a token in a text that names Sourcegraph.
        "sourcegraph-access-token",
        # bot.core.redaction.secret_formats has the same forms, and the keywords ("ey", "sk", "s.") occur in every other line.
        "jwt",
        "twilio-api-key",
        "vault-service-token",
    }
)
_HASH = re.compile(r"(?i)[0-9a-f]{7,128}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SECRET_WORD = any_of(r"(?i)key|token|secret|auth|passw|cred")


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of the file. Its pattern is compiled when a keyword occurs for the first time."""

    regex: str
    keywords: tuple[str, ...]
    group: int
    """Which group captures the secret; 0: the first that is not empty, or all of the match where there is none."""
    entropy: float
    """Bits a character that the secret has to exceed."""
    allowed: tuple[str, ...]
    """Patterns of secrets that are none, such as documented examples."""

    @cached_property
    def pattern(self) -> Pattern:
        return any_of(self.regex, capture=True)

    def secrets(self, text: str) -> Iterator[Span]:
        for match in self.pattern.finditer(text):
            group = self.group or next((number for number, part in enumerate(match.groups(), 1) if part), 0)
            start, end = match.span(group)
            if self._is_secret(text[start:end]) and not _is_identifier(text[match.start() : start], text[start:end]):
                yield start, end

    def _is_secret(self, value: str) -> bool:
        return _entropy(value) > self.entropy and not _allowlist(self.allowed).search(value)


def vendor_secrets(text: str) -> list[Span]:
    """Where the secrets of vendors stand in a text. Linear in its length."""
    rules = _rules()
    chosen = dict.fromkeys(rule for number in _occurring().within(text) for rule in rules[number][1])
    return [span for rule in chosen for span in rule.secrets(text)]


def keyword_patterns() -> list[str]:
    """Patterns of the words without one of which no rule applies."""
    return [f"(?i){re.escape(keyword)}" for keyword, _ in _rules()]


@cache
def _occurring() -> Several:
    return Several(*keyword_patterns())


@cache
def _allowlist(patterns: Sequence[str]) -> Pattern:
    """Compiled once for the many rules that share it."""
    return any_of(*patterns)


def _is_identifier(before: str, value: str) -> bool:
    """Whether a value behind a vendor's name is an identifier: services are named after vendors, `datadog-agent:<commit>`.

    A number or a word is one; a hash or a UUID, unless a word before it says that it is secret. A token with a prefix of
    its own has nothing before it and is none.
    """
    if not any(char.isalnum() for char in before):
        return False
    if not (any(char.isdigit() for char in value) and any(char.isalpha() for char in value)):
        return True
    return bool(_HASH.fullmatch(value)) and not _SECRET_WORD.search(before)


def _entropy(value: str) -> float:
    """Shannon's entropy of the characters, in bits a character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


class _Allowlist(TypedDict):
    regexes: NotRequired[list[str]]
    stopwords: NotRequired[list[str]]


class _PublishedRule(TypedDict):
    """A rule of gitleaks.toml, by the names of its format."""

    id: str
    regex: str
    keywords: list[str]
    path: NotRequired[str]
    secretGroup: NotRequired[int]
    entropy: NotRequired[float]
    allowlists: NotRequired[list[_Allowlist]]


@cache
def _rules() -> Sequence[tuple[str, Sequence[Rule]]]:
    """The rules of each keyword. Read when the first text is redacted: no command that redacts nothing waits for it."""
    content = tomllib.loads(files(__package__).joinpath("gitleaks.toml").read_text(encoding="utf-8"))
    rules = [_rule(rule, content["allowlist"]) for rule in content["rules"] if _is_used(rule)]
    keywords = sorted({keyword for rule in rules for keyword in rule.keywords})
    return [(keyword, [rule for rule in rules if keyword in rule.keywords]) for keyword in keywords]


def _is_used(rule: _PublishedRule) -> bool:
    """A rule with a path is one for files of that name; here are texts."""
    return rule["id"] not in LEFT_OUT and "path" not in rule


def _rule(rule: _PublishedRule, everywhere: _Allowlist) -> Rule:
    # An allowlist may hold paths alone: they say nothing about a text.
    allowed = [*everywhere["regexes"], *(re.escape(word) for word in everywhere["stopwords"])]
    allowed += [regex for allowlist in rule.get("allowlists", ()) for regex in allowlist.get("regexes", ())]
    return Rule(rule["regex"], tuple(rule["keywords"]), rule.get("secretGroup", 0), rule.get("entropy", 0.0), tuple(allowed))
