"""What the words of log lines, events and alerts say of the kind of cause, as any platform writes them."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.core.tuning import TUNING


class Category(StrEnum):
    """The kind of cause, in the words that postmortems are counted by."""

    HEALTHY = "healthy"
    RESOURCE = "resource_exhaustion"
    CONFIGURATION = "configuration_error"
    DEPENDENCY = "dependency_failure"
    CODE = "code_defect"
    INFRASTRUCTURE = "infrastructure"
    DATA = "data_quality"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CategorySign:
    """One text or measurement and the category that it is a sign of (weights: CategoryWeights in core/tuning/verdict)."""

    category: Category
    weight: float
    text: str
    evidence: str
    present: bool = True
    """False for what is over: logged some minutes ago and not again, or ended according to a later text."""


_WEIGHTS = TUNING.categories
_NAMES, _SUGGESTS = _WEIGHTS.names_cause, _WEIGHTS.suggests_cause
_WORDS: dict[Category, dict[float, tuple[str, ...]]] = {
    Category.RESOURCE: {
        _NAMES: (
            r"\boom\b|oom.?kill|out.?of.?memory|cannot allocate|no space left|evict(ed|ion)",
            r"resource temporarily unavailable|low on resource",
            r"(ran|run|running) (out of|low on)|insufficient (storage|cpu|memory|disk)|exceeded quota|quota exceeded",
            r"too many (clients|connections|open files)|connection slots|max_connections|connection is not available",
            r"\b(storage|disk|space|inodes?|pool|heap)\b.{0,40}(full|exhaust|insufficient|\blow\b)",
        ),
        _SUGGESTS: (
            r"\blag(ging)?\b.{0,60}exceed|replica(tion)?.?lag|throttl",
            r"(cpu|memory|disk|iops|i/o|connection|queue|swap|heap|thread|descriptor)\w*\b.{0,60}"
            r"(exceed|above|satur|reached|exhaust|pressure|\bhigh\b|\bfull\b|\blow\b)",
        ),
    },
    Category.CONFIGURATION: {
        _NAMES: (
            r"image.?pull.?back.?off|err.?image.?pull|invalid.?image|manifest unknown|failed to pull image",
            r"createcontainerconfigerror|config\w* (error|invalid)|invalid config|misconfigur|failedmount",
            r"couldn't find key|invalid value for|missing required (env|config|setting|parameter|argument|variable)\w*",
            r"\b(env(ironment)?.?var\w*|secret|config ?map|setting|parameter|volume)\b.{0,60}"
            r"(not set|not found|missing|invalid|required)",
            r"\benotfound\b|no such host|nxdomain|name resolution|(unable|failed|could not) to resolve",
            r"getaddrinfo (failed|eai_)|gaierror",
        ),
        _SUGGESTS: (
            r"(liveness|readiness|startup) probe (failed|errored)|failed (liveness|readiness|startup) probe",
            r"x509|certificate.{0,20}expired|unauthori[sz]ed|not authorized|forbidden|access ?denied|permission denied",
            r"unknown (flag|option|field|directive)|authentication failed|invalid (credentials|token|api key)",
            r"exec format error|executable file not found",
        ),
    },
    Category.INFRASTRUCTURE: {
        _NAMES: (
            r"nodes? ?(is |was |are )?(not ?ready|lost)|kubelet.{0,30}(not ready|stopped)|network.?unavailable",
            r"hardware (fault|failure)|underlying hardware|status check failed|spot interruption",
            r"\b(node|instance|vm|machine)\b.{0,30}(was|is being|been) preempted",
            r"node .{1,60} unreachable|host.{0,20}(unreachable|lost|is down)",
            r"failover.{0,40}(initiated|started|in progress|failed)|availability zone|instance.{0,20}reboot",
        )
    },
    Category.DEPENDENCY: {
        _SUGGESTS: (
            r"connection refused|econnrefused|upstream.{0,30}(timed? ?out|error|unavailable|reset)|bad gateway",
            r"gateway time-?out|service unavailable|circuit.{0,30}\bopen|etimedout",
            r"read time(d )?.?out|(call|request)\w* to .{1,60}(timed? ?out|failed)",
            r"(downstream|dependency|provider).{0,40}(unavailable|down\b|failing|fail)",
        )
    },
    Category.CODE: {
        _SUGGESTS: (
            r"traceback|null ?(pointer|reference)|\bpanic(ked|:)|segmentation|sigsegv|segfault|core dumped",
            r"unhandled exception|assertion failed",
            r"\b(type|key|index|attribute|name|reference)error\b|undefined method|is not a function|class ?not ?found"
            r"|index out of (range|bounds)|stack ?(trace|overflow)",
        )
    },
    Category.DATA: {
        _SUGGESTS: (
            r"schema (mismatch|validation|violation)|malformed|constraint violat|duplicate key|deseriali[sz]|corrupt",
            r"(unexpected|invalid) (format|column|record|payload)|null values? in|is of type .{1,40} but|type mismatch",
        )
    },
}
"""The words of platforms, databases and programs, by what they count."""

_RESOURCE = re.compile(
    r"cpu|mem|disk|storage|space|heap|swap|connection|pool|queue|backlog|\blag|lag\b|iops|thread|inode", re.I
)
_TROUBLE = re.compile(
    r"back-?off|crash|fatal|\berror|\bfail(ed|ing|ure)|exception|deadline.?exceeded|unavailable|time(d )?out|unhealthy|killing",
    re.I,
)
_CALM = re.compile(
    r"\b(finished|completed?|successful\w*|succeeded|recovered|resolved|passed|closed cleanly)\b|\bnow (running|ready|healthy)"
    r"|\bis (available|healthy|ok)\b|scaled to 0|\bterminating\b|within (its |their |the )?(normal|usual|bounds)|graceful"
    r"|\b(no|0|zero) (failures?|errors?)\b|has(no|sufficient)(disk|memory|pid)",
    re.I,
)
_PATTERNS = [
    (weight, category, re.compile("|".join(words), re.I))
    for category, by_weight in _WORDS.items()
    for weight, words in by_weight.items()
]


def sign_in(text: str, evidence: str) -> CategorySign | None:
    """The sign in one text: its strongest category, or trouble of no known kind; None for a text without any.

    A text that reports an end ("is now running", "has finished") is no sign, whatever else it says.
    """
    return None if _CALM.search(text) else _trouble_in(text, evidence)


def ended_in(text: str) -> Category | None:
    """The category of the trouble whose end a text reports; None if it reports no end, or trouble of no known kind."""
    category = category_of(text) if _CALM.search(text) else Category.UNKNOWN
    return None if category is Category.UNKNOWN else category


def category_of(signal: str) -> Category:
    """The category of a signal that is beyond its threshold: what its name says, else a resource, else unknown."""
    sign = _trouble_in(signal, "")
    if sign and sign.category is not Category.UNKNOWN:
        return sign.category
    return Category.RESOURCE if _RESOURCE.search(signal) else Category.UNKNOWN


def _trouble_in(text: str, evidence: str) -> CategorySign | None:
    matches = [(weight, category) for weight, category, words in _PATTERNS if words.search(text)]
    if matches:
        weight, category = max(matches, key=lambda pair: pair[0])
        return CategorySign(category, weight, text, evidence)
    return CategorySign(Category.UNKNOWN, _WEIGHTS.trouble, text, evidence) if _TROUBLE.search(text) else None
