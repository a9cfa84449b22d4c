"""What tells one alert from another and stays the same from firing to resolved: its own key, else what it says of itself."""

import re
from collections.abc import Iterable, Mapping

from bot.core.payloads.choices import Choice, Understanding
from bot.core.payloads.leaves import Leaf, Scalar, word_set, words_of
from bot.core.payloads.names import AlertField, cost_of
from bot.core.payloads.values import SEVERITY_WORDS, state_of

_NAMES_OF_RULES = (
    "rule id, rule uid, rule name, rulename, alert rule, alert name, alertname, alarm name, monitor id, monitor name, "
    "check name, check, sensor name, sensor, search name, trigger name, condition name, detector, detector id, alert"
)
_OF_RULES = frozenset(tuple(name.split()) for name in _NAMES_OF_RULES.split(", "))
"""Names of what is watched: an alert is one of these on one thing."""
_GENERAL = word_set("id key uid name")
_OWN_KEYS = word_set("fingerprint dedup deduplication dedupe incident problem issue alarm")
"""Names of keys that a sender gives to one alert alone. An alert's id is often the host's name, or the monitor's number."""
_OF_THINGS = word_set(
    "host service server node device machine vm pod container instance certificate cert resource group rule monitor check "
    "parent related previous last user team project"
)
"""The key of one of these is no alert's."""
_FREE_TEXTS = word_set("output message msg text detail body content reason info note summary description")
_OF_HOSTS = word_set("up down unreachable")
"""States of a host itself, which no check is named for."""
_STATE = (
    "(?:re-?)?(?:triggered|recovered|resolved|firing|alerting|alert|warn|no data|ok|down|up|closed|opened|(?:updated )?problem)"
)
_MARK = re.compile(rf"(?i)^\s*\[\W*(?:p[0-9]|{_STATE}(?: on \{{[^}}\]]*\}})?)\W*(?::\s*\d+\W*)?\]\s*")
_STATE_WORD = re.compile(rf"(?i)^\W*(?:{_STATE}|alarm|warning|critical|error)\b\W*(?:for\s+|in\s+[\d\s.,wdhms]{{1,20}}:\s*)?")
_OVER = re.compile(
    r"(?i)\s+(?:is|are|has|have)(?: now| been| back)*\s+"
    r"(?:down|up|online|offline|recovered|resolved|to normal|failed|failing|passed|passing|succeeded)\W*$"
)
_OUTCOME = re.compile(r"(?i)\b(?:failed|failing|passed|passing|succeeded|succeeding)\b")
_BETWEEN = re.compile(r"(?i)\s+(?:(?:has )?recovered from|[-\u2013\u2014])\s+")
"""What stands between a thing and what is wrong with it: `web-1 - Disk full` ends as `web-1 recovered from Disk full`."""
_DATE = r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?"
_FIGURE = re.compile(rf"(?<![\w.-])(?:{_DATE}|\d+(?:[.,:]\d+)?(?:%|[a-z]{{1,3}})?)(?![\w.-]*\w)")
"""What is measured or when. The number in `web-1` or in an address is part of a name."""
_MOVING = ("severity", "priority", "status", "state", "level", "urgency", "value", "value_string")
MAX_TEXT = 512
_MEASURED = re.compile(r"[\d.,:TZ+-]+%?")


def rules_of(leaves: Iterable[Leaf]) -> tuple[str, ...]:
    """What the rule, the monitor or the check behind an alert is called."""
    texts = [_lasting_name(str(leaf.value)[:MAX_TEXT]) for leaf in leaves if not cost_of(leaf.around) and _is_of_rule(leaf)]
    return tuple(sorted({text for text in texts if text}))


def _is_of_rule(leaf: Leaf) -> bool:
    named = leaf.words in _OF_RULES or (*leaf.parent[-1:], *leaf.words) in _OF_RULES
    return named and not (leaf.words == ("alert",) and _is_no_name(leaf.value))


def _is_no_name(value: Scalar) -> bool:
    """Whether `alert` holds no name but yes or no, a state or a severity."""
    text = str(value).strip().lower()
    return state_of(value) is not None or text in SEVERITY_WORDS | {"true", "false", "yes", "no"} or not words_of(text)


def lasting_text(title: str) -> str:
    """A title without its state and without figures: `[Triggered] web-1 at 91.5%` and `Recovered: web-1 at 3%` are the same."""
    text = _OVER.sub("", _STATE_WORD.sub("", undecorated(title.lower())))
    return _FIGURE.sub("#", _OUTCOME.sub("#", _BETWEEN.sub(" ", text)))


def undecorated(title: str) -> str:
    """A title without the marks of state and priority that systems put before it: `[P2] [Triggered on {host:a}] CPU high`."""
    text = title.strip()
    while (rest := _MARK.sub("", text, count=1)) and rest != text:
        text = rest
    return text


def _lasting_name(text: str) -> str:
    """One word may be a number that tells one rule from another."""
    return lasting_text(text) if " " in text.strip() else text.strip().lower()


def own_key(understanding: Understanding) -> str:
    """The key that the sender gives to this alert alone; "" if there is none, or it was guessed and may be another thing's."""
    choice = understanding.choices.get(AlertField.FINGERPRINT)
    return understanding.text(AlertField.FINGERPRINT) if choice and (not choice.guessed or _names_one_alert(choice)) else ""


def _names_one_alert(choice: Choice) -> bool:
    names = [words_of(part) for part in choice.path.split(".") if not part.isdigit()]
    own = set(names[-1]) if names else set()
    parent = set(names[-2]) if len(names) > 1 else set()
    named = own | parent if own <= _GENERAL else own
    return bool(_OWN_KEYS & named or own == {"alert", "key"}) and not _OF_THINGS & (own | parent)


def lasting_parts(understanding: Understanding, name: str, labels: Mapping[str, str]) -> list[object]:
    """What of an alert without a key of its own stays the same. `name`: its title; `labels`: as they are kept."""
    entity = understanding.text(AlertField.SERVICE)
    is_free = _is_free(understanding, labels)
    if key := understanding.text(AlertField.FINGERPRINT):
        return [key, understanding.rules or ("" if is_free else lasting_text(name)), entity]
    title = "" if is_free or _lasting_name(name) in understanding.rules else lasting_text(name)
    return [title, understanding.rules, entity, {k: v for k, v in labels.items() if _lasts(k, v)}]


def _is_free(understanding: Understanding, labels: Mapping[str, str]) -> bool:
    """Whether the title is what a check wrote this time, and what was checked is named beside it."""
    title = understanding.choices.get(AlertField.NAME)
    words = set(words_of(title.path.rpartition(".")[2])) if title and title.guessed else set()
    host_alone = understanding.text(AlertField.STATUS).lower() in _OF_HOSTS or {"host", "output"} <= words
    named = host_alone or bool(labels.get("service") or labels.get("check"))
    checked = bool(understanding.rules) or ("output" in words and named)
    return bool(labels.get("host") and words & _FREE_TEXTS and checked)


def _lasts(name: str, value: str) -> bool:
    return name.lower() not in _MOVING and not _MEASURED.fullmatch(value)
