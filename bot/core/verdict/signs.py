"""What words say of the kind of cause: lines, events and alerts as any platform writes them."""

import re
from dataclasses import dataclass
from enum import StrEnum


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
class Sign:
    """One thing that was said or measured and the category it speaks for; 3 names a cause, 2 suggests one, 1 is trouble."""

    category: Category
    weight: float
    text: str
    evidence: str
    present: bool = True
    """False for what is over: said some minutes ago and not again, or ended by a later text."""


_WORDS: dict[Category, dict[int, tuple[str, ...]]] = {
    Category.RESOURCE: {
        3: (
            r"\boom\b|oom.?kill|out.?of.?memory|cannot allocate|no space left|evict(ed|ion)",
            r"resource temporarily unavailable|low on resource",
            r"(ran|run|running) (out of|low on)|insufficient (storage|cpu|memory|disk)|exceeded quota|quota exceeded",
            r"too many (clients|connections|open files)|connection slots|max_connections|connection is not available",
            r"\b(storage|disk|space|inodes?|pool|heap)\b.{0,40}(full|exhaust|insufficient|\blow\b)",
        ),
        2: (
            r"\blag(ging)?\b.{0,60}exceed|replica(tion)?.?lag|throttl",
            r"(cpu|memory|disk|iops|i/o|connection|queue|swap|heap|thread|descriptor)\w*\b.{0,60}"
            r"(exceed|above|satur|reached|exhaust|pressure|\bhigh\b|\bfull\b|\blow\b)",
        ),
    },
    Category.CONFIGURATION: {
        3: (
            r"image.?pull.?back.?off|err.?image.?pull|invalid.?image|manifest unknown|failed to pull image",
            r"createcontainerconfigerror|config\w* (error|invalid)|invalid config|misconfigur|failedmount",
            r"couldn't find key|invalid value for|missing required (env|config|setting|parameter|argument|variable)\w*",
            r"\b(env(ironment)?.?var\w*|secret|config ?map|setting|parameter|volume)\b.{0,60}"
            r"(not set|not found|missing|invalid|required)",
            r"enotfound|no such host|nxdomain|name resolution|(unable|failed|could not) to resolve",
            r"getaddrinfo (failed|eai_)|gaierror",
        ),
        2: (
            r"(liveness|readiness|startup) probe (failed|errored)|failed (liveness|readiness|startup) probe",
            r"x509|certificate.{0,20}expired|unauthori[sz]ed|not authorized|forbidden|access ?denied|permission denied",
            r"unknown (flag|option|field|directive)|authentication failed|invalid (credentials|token|api key)",
            r"exec format error|executable file not found",
        ),
    },
    Category.INFRASTRUCTURE: {
        3: (
            r"nodes? ?(is |was |are )?(not ?ready|lost)|kubelet.{0,30}(not ready|stopped)|network.?unavailable",
            r"hardware (fault|failure)|underlying hardware|status check failed|spot interruption",
            r"\b(node|instance|vm|machine)\b.{0,30}(was|is being|been) preempted",
            r"node .{1,60} unreachable|host.{0,20}(unreachable|lost|is down)",
            r"failover.{0,40}(initiated|started|in progress|failed)|availability zone|instance.{0,20}reboot",
        )
    },
    Category.DEPENDENCY: {
        2: (
            r"connection refused|econnrefused|upstream.{0,30}(timed? ?out|error|unavailable|reset)|bad gateway",
            r"gateway time-?out|service unavailable|circuit.{0,30}\bopen|etimedout",
            r"read time(d )?.?out|(call|request)\w* to .{1,60}(timed? ?out|failed)",
            r"(downstream|dependency|provider).{0,40}(unavailable|down\b|failing|fail)",
        )
    },
    Category.CODE: {
        2: (
            r"traceback|null ?(pointer|reference)|\bpanic(ked|:)|segmentation|sigsegv|segfault|core dumped",
            r"unhandled exception|assertion failed",
            r"\b(type|key|index|attribute|name|reference)error\b|undefined method|is not a function|class ?not ?found"
            r"|index out of (range|bounds)|stack ?(trace|overflow)",
        )
    },
    Category.DATA: {
        2: (
            r"schema (mismatch|validation|violation)|malformed|constraint violat|duplicate key|deseriali[sz]|corrupt",
            r"(unexpected|invalid) (format|column|record|payload)|null values? in|is of type .{1,40} but|type mismatch",
        )
    },
}
"""How platforms, databases and programs say it; a weight of 3 names the cause, 2 suggests it."""

_RESOURCE = re.compile(
    r"cpu|mem|disk|storage|space|heap|swap|connection|pool|queue|backlog|\blag|lag\b|iops|thread|inode", re.I
)
_TROUBLE = re.compile(
    r"back-?off|crash|fatal|\berror|\bfail(ed|ing|ure)|exception|deadline.?exceeded|unavailable|time(d )?out|unhealthy|killing",
    re.I,
)
_CALM = re.compile(
    r"\b(finished|completed?|successful\w*|succeeded|recovered|resolved|passed|closed cleanly)\b|\bnow (running|ready|healthy)"
    r"|\bis (available|healthy|ok)\b|scaled to 0|\bterminating\b|within (its |their )?(normal|bounds)|graceful"
    r"|\b(no|0|zero) (failures?|errors?)\b|has(no|sufficient)(disk|memory|pid)",
    re.I,
)
_PATTERNS = [
    (weight, category, re.compile("|".join(words), re.I))
    for category, by_weight in _WORDS.items()
    for weight, words in by_weight.items()
]


def sign_in(text: str, evidence: str) -> Sign | None:
    """What one text says: the strongest category, trouble of no known kind, or None for what is calm or says nothing.

    A text that tells of its own end ("is now running", "has finished") is none, whatever else it says.
    """
    return None if _CALM.search(text) else _trouble_in(text, evidence)


def ended_in(text: str) -> Category | None:
    """The category of the trouble that a text tells the end of; None if it tells no end, or of nothing known."""
    category = category_of(text) if _CALM.search(text) else Category.UNKNOWN
    return None if category is Category.UNKNOWN else category


def category_of(signal: str) -> Category:
    """What the name of a signal speaks of when it is out of bounds: what its words say, else a resource, else unknown."""
    said = _trouble_in(signal, "")
    if said and said.category is not Category.UNKNOWN:
        return said.category
    return Category.RESOURCE if _RESOURCE.search(signal) else Category.UNKNOWN


def _trouble_in(text: str, evidence: str) -> Sign | None:
    found = [(weight, category) for weight, category, words in _PATTERNS if words.search(text)]
    if found:
        weight, category = max(found, key=lambda pair: pair[0])
        return Sign(category, weight, text, evidence)
    return Sign(Category.UNKNOWN, 1, text, evidence) if _TROUBLE.search(text) else None
