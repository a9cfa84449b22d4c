"""What single values look like: a sentence, an address, an id, a template that nobody filled in, a severity, a status."""

import re
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from bot.core.payloads.leaves import Scalar, word_set, words_of


class State(StrEnum):
    """What a status word means for an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


_CRITICAL = "critical crit fatal emergency emerg disaster blocker page severe panic"
_HIGH = "high major error err urgent"
_MEDIUM = "medium moderate average warning warn minor"
_LOW = "low trivial"
_INFO = "info information informational notice debug none"
SEVERITY_WORDS = word_set(f"{_CRITICAL} {_HIGH} {_MEDIUM} {_LOW} {_INFO}")
_RANK = r"(?:p|s|sev|priority|severity)[ _-]?[0-9]"
_RANKED = re.compile(rf"(?i)\b{_RANK}\b")

_FIRING = (
    "firing fired fire alerting alert alarm triggered trigger retriggered open opened reopened active activated create "
    "created new problem down critical crit major minor warning warn error failed failing failure unhealthy degraded bad "
    "red unresolved breached breach violated no_data nodata renotify renotified unknown pending started start detected "
    "acknowledged acknowledge acknowledgement acknowledgment ack acked investigating escalated assigned annotated updated "
    "outage offline unreachable unavailable raised"
)
_DONE = (
    "resolved resolve ok okay recovered recovery recover closed close normal up cleared clear healthy inactive fixed solved "
    "ended end green deactivated archived back_to_normal online restored remediated cancelled canceled deleted delete stopped"
)
_DONE_STATES = frozenset(("passing", "passed", "reset", "operational", "available"))
"""Over as the whole of a state: a threshold is passed, a firewall's action is a reset, and an update is available."""
_OUTCOMES = frozenset(("success", "successful", "completed"))
"""Over as a state; as a status they may be that of a request or a job that told of the alert."""
_STATES = {
    **{word.replace("_", " "): State.FIRING for word in _FIRING.split()},
    **{word.replace("_", " "): State.RESOLVED for word in _DONE.split()},
}
_OVER_SEVERITIES = frozenset(("ok", "okay", "clear", "cleared", "resolved", "recovered", "recovery"))
"""Not `normal`: some call the usual priority so."""
_CLOSED = re.compile(r"(?:closed?|cancell?ed|resolved)_(?:critical|crit|major|minor|warning|warn)$")
"""What becomes of a severity. `ok_critical` goes from one to the other, and `resolve_error` is an error."""
_NEGATED = frozenset(("not", "un", "non", "no"))
_OF_MUTES = frozenset(("downtime", "maintenance", "flapping", "mute", "silence", "snooze"))
"""The end of one of these is no end of the alert."""
_OVER = "recovered|resolved|recovery|cleared|closed|solved"
_NO_DATA = re.compile(r"(?i)\bno[ _-]?data\b")
_RESOLVED = re.compile(
    rf"(?i)\[\W*(?:re-)?(?:{_OVER}|ok|up|normal)\b[^\]]*\]"
    rf"|^\W*(?:{_OVER}|ok|up|back to normal)(?:\s+in\s+[\d\s.,wdhms]{{1,20}})?\s*(?:[:|!\u2013\u2014]|-\s|\W*$)"
    r"|^\s*[\u2705\u2714]"
    r"|\b(?:has|have|is|are) (?:now |been |fully )*(?:recovered|resolved|back to normal|back online|back up|cleared)\W*$"
)
_STATE_FIRST = re.compile(r"(?i)\s*(?:triggered|fired|firing|recovered|resolved|cleared|closed|opened):\s")
_RECOVERED_FROM = re.compile(r"(?i)(?!.*\b(?:not|never)\b).*\S (?:has )?recovered from (\S.*)")
_FIRING_MARK = re.compile(r"(?i)\b(?:firing|triggered|alerting|re-?triggered|problem|is down)\b")
_GREEN = ("good", "2eb886", "2eb67d", "36a64f", "10b981", "00ff00", "008000")
_URL = re.compile(r"(?i)^[a-z][a-z0-9+.-]*://\S+$")
_ID = re.compile(r"(?i)^(?:[0-9a-f]{8}-[0-9a-f-]{20,}|[0-9a-f]{16,}|[0-9]+|[a-z]{0,8}[:_-]?[0-9a-f]*[0-9][0-9a-f]{15,})$")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:(\S+)$")
_BALANCER = re.compile(r"(?:app|net|gwy|targetgroup)/[\w.-]+/[0-9a-f]+$")
_HASH = re.compile(r"(?i)(?:[0-9a-f]{8}-[0-9a-f-]{20,}|[0-9a-f]{12,}|[0-9]+)$")
_DATE = re.compile(
    r"^\d{4}-\d\d-\d\d(?:[T ]|$)|^\w{3},? \d{1,2} \w{3} \d{4}|^\d{1,2}[./]\d{1,2}[./]\d{2,4}"
    r"|^[A-Z][a-z]{2,8} \d{1,2},? \d{4}\b|^[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d"
)
_UNIX = re.compile(r"\d{9,19}(?:\.\d+)?")
_TEMPLATE = re.compile(
    r"^\s*(?:\{\{[^}]*\}\}|\$\{[^}]*\}|\$[A-Z][A-Z0-9_]+|\{[$#]?[A-Z][A-Z0-9_]*(?:[.:][^{}\s]*)?\}|<[%$][^>]*>|%\([\w.]+\)s)\s*$"
)


def is_url(text: str) -> bool:
    """An absolute address and nothing else."""
    return bool(_URL.match(text.strip()))


def is_id(text: str) -> bool:
    """A number, a UUID or a long hexadecimal word: nothing that people would call a thing by."""
    return bool(_ID.match(text.strip()[:200]))


def short_name(text: str) -> str:
    """The name in an address of AWS: `checkout` of an ARN, or of `app/checkout/50dc6c495c0c9188`. Other texts as they are."""
    arn = _ARN.match(text.strip())
    if not arn and not _BALANCER.match(text.strip()):
        return text
    kind, *names = re.split("[:/]", arn[1] if arn else text.strip())
    if kind == "alarm" and arn:
        return arn[1].partition(":")[2]
    named = [name for name in names if name and not _HASH.match(name)]
    return (named[0] if kind == "function" else named[-1]) if named else kind or text


def is_date(text: str) -> bool:
    """It begins as a date does."""
    return bool(_DATE.match(text.strip()))


def is_template(text: str) -> bool:
    """A variable of the sender's template that nobody filled in: `$EVENT_TITLE`, `{{ host.name }}`, `{EVENT.TAGS.app}`."""
    return bool(_TEMPLATE.match(text))


def is_unfilled(text: str) -> bool:
    """It holds no value: a template that nobody filled in, or what Zabbix fills in where there is nothing, `*UNKNOWN*`."""
    return is_template(text) or text.strip() == "*UNKNOWN*"


def severity_word(value: Scalar, *, ranked: bool, named: bool) -> str:
    """The severity that a value holds, in the sender's own word; "" if it holds none.

    `ranked`: its key is one for priorities, where a bare digit means something. `named`: its key says severity itself, so
    that a word that nobody knows is one too.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not text or len(text) > 40 or is_unfilled(text):
        return ""
    if text.isdigit():
        return (f"P{text}" if ranked and len(text) == 1 else text if named and len(text) <= 2 else "").strip()
    if text.lower() in SEVERITY_WORDS or re.fullmatch(_RANK, text, re.IGNORECASE):
        return text
    words = words_of(text)
    if len(words) <= 4 and (match := next((word for word in words if word in SEVERITY_WORDS), "")):
        return match
    if rank := _RANKED.search(text):
        return rank[0]
    return text if named and 0 < len(words) <= 2 and len(text) <= 24 and not is_id(text) else ""


def state_of(value: Scalar) -> State | None:
    """What a status word means; None for any other text, also for what tells of a mute: `DowntimeEnd`.

    `incident.resolved` and `STATE_RESOLVED` are read by their words.
    """
    text = str(value).strip().lower()
    if isinstance(value, bool) or not text or len(text) > 64:
        return None
    if (state := _STATES.get(text)) is not None:
        return state
    words = words_of(_NO_DATA.sub("nodata", str(value).strip()))
    if _OF_MUTES & set(words):
        return None
    if is_state_alone(value) or (re.fullmatch(r"[\w.-]+", text) and _CLOSED.search("_".join(words))):
        return State.RESOLVED
    states = [_STATES[word] for word in words if word in _STATES]
    if len(words) > 4 or not states:
        return None
    if State.RESOLVED in states and _NEGATED & set(words):
        return State.FIRING
    return states[-1]


def is_state_alone(value: Scalar) -> bool:
    """Whether it is one of the words that mean a state only under a name that says state or status: `passing`, `Reset`."""
    return str(value).strip().lower() in _DONE_STATES | _OUTCOMES


def is_outcome(value: Scalar) -> bool:
    """Whether it means a state only under a name that says state: `SUCCESS`."""
    return str(value).strip().lower() in _OUTCOMES


def begins_with_state(text: str) -> bool:
    """Whether a text says first what became of something: `Triggered: Slow queries`."""
    return bool(_STATE_FIRST.match(text))


def recovered_from(text: str) -> str:
    """What a title says something recovered from, `Disk full` of `web-1 recovered from Disk full`; "" if it does not."""
    match = _RECOVERED_FROM.fullmatch(text[:500].strip())
    return match[1] if match else ""


def means_resolved(text: str) -> bool:
    """Whether a title says that it is over: `[Recovered] Disk full`, `RESOLVED: errors`, `web-1 is back to normal`."""
    return bool(_RESOLVED.search(text[:500]))


def says_firing(text: str) -> bool:
    """Whether a title says that it fires: `[FIRING:1] Disk full`, `db-1 is down`."""
    return bool(_FIRING_MARK.search(text[:500]))


def is_green(colour: str) -> bool:
    """Whether the bar beside a chat message is green: `good`, `#36a64f`."""
    return colour.strip().lstrip("#").lower() in _GREEN


def is_severity_of_end(word: str) -> bool:
    """Whether a severity says that nothing is wrong any more: `CLEAR`, `OK`."""
    return word.strip().lower() in _OVER_SEVERITIES


def moment_of(value: Scalar, zone: tzinfo = UTC) -> datetime | None:
    """Aware UTC of ISO 8601 or of Unix seconds, milliseconds, microseconds or nanoseconds; None for anything else.

    `zone`: of a time that names none.
    """
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    try:
        number = float(text) if _UNIX.fullmatch(text) else None
        if number is not None:
            while number > 1e11:
                number /= 1000
            moment = datetime.fromtimestamp(number, UTC)
        else:
            parsed = datetime.fromisoformat(text[:64])
            moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 2000 < moment.year < 2200 else None


def lacks_zone(value: object) -> bool:
    """Whether it is a date and time that names no time zone."""
    text = str(value).strip()
    try:
        return not _UNIX.fullmatch(text) and datetime.fromisoformat(text[:64]).tzinfo is None
    except ValueError:
        return False
