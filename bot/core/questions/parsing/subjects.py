"""What a yes-or-no question is about, in kinds that measurements can answer: the network, a database, memory, changes, ..."""

import re
from collections.abc import Mapping
from enum import StrEnum

from bot.core.alerts.problem_kind import kind_of
from bot.core.evidence import Hypothesis
from bot.core.facts.alerting import AlertKind
from bot.core.facts.measured import Family


class Subject(StrEnum):
    """One kind of thing that a question may be about."""

    NETWORK = "the network"
    DATABASE = "a database"
    MEMORY = "memory"
    CPU = "CPU"
    DISK = "disks"
    TRAFFIC = "traffic"
    LATENCY = "latency"
    ERRORS = "errors"
    PROVIDER = "outside providers"
    CHANGE = "changes"
    CALLEE = "something it calls"
    HEALTH = "health"
    RECOVERY = "recovery"
    ALERTS = "alerts"
    ACKNOWLEDGED = "who works on it"
    PROPOSAL = "proposals"


_WORDS: Mapping[Subject, str] = {
    Subject.NETWORK: r"network\w*|packets?|wire|connectivity|partition",
    Subject.DATABASE: r"databases?|db|sql|postgres\w*|mysql|mariadb|mongo\w*|redis|cassandra",
    Subject.MEMORY: r"memory|mem|oom\w*|heap|leak\w*|rss",
    Subject.CPU: r"cpus?|cores?|throttl\w*|processor",
    Subject.DISK: r"disks?|storage|volumes?|iops|filesystem|inodes?",
    Subject.TRAFFIC: r"traffic|load|requests?|rps|qps|throughput|surge|spike",
    Subject.LATENCY: r"slow\w*|latency|latencies|lag\w*|duration|timeouts?|p9\d",
    Subject.ERRORS: r"errors?|fail\w*|exceptions?|5xx|500s|broken",
    Subject.PROVIDER: r"providers?|external|third.?party|vendors?|upstream provider",
    Subject.CALLEE: r"dependenc(?:y|ies)|callees?|downstreams?"
    r"|(?:something|anything|what|whatever|services?)\s+(?:that\s+)?(?:it|they|this)\s+(?:calls?|depends? on|uses?)",
    Subject.CHANGE: r"changes?|changed|deploy\w*|rollouts?|releases?|released|config\w*|flags?"
    r"|ship(?:ped|s)?|pushe[ds]|push|touched|merged|upgraded|edit(?:ed|s)?|flipped|migrations?|commits?"
    # "Did we lose the data?" is about no new version of them.
    # And "is the model down?" asks how it does.
    r"|models?(?!\s+(?:\w+\s+)?(?:down|up|slow\w*|lag\w*|fail\w*|timing|healthy|unhealthy|ok|okay|fine|dead|alive|work\w*"
    r"|affected|degraded|unavailable|offline)\b)"
    r"|datasets?|(?:it|because\s+of)\s+(?:the\s+)?(?:new\s+|training\s+|input\s+)?data",
    Subject.HEALTH: r"down|up|healthy|unhealthy|ok|okay|fine|dead|alive|working|works?|affected|normal|bad"
    r"|impacted|degraded|hurt|suffering|struggling|unavailable|offline",
    Subject.RECOVERY: r"fixed|resolved|recover\w*|solved|all clear|back to normal"
    r"|we\s+(?:all\s+)?(?:good|ok(?:ay)?|fine|clear|back)"
    r"|(?:is|are|was)\s+(?:it|this|that|they|things|everything|all|the\s+(?:incident|outage|issue|problem))"
    r"\s+(?:(?!\w+ed\s|put\s|taken\s)\w+\s+)?(?:over|gone|better|back)"
    r"|(?:it|this|that|they|errors?|failures?|timeouts?|alerts?|alerting|problems?|issues?|outage|incident)\s+(?:\w+\s+)?"
    r"(?:stopp?(?:ed)?|ceased?|gone|cleared(?:\s+up)?|went\s+away|go(?:ne)?\s+away|subsided|ended|disappeared)",
    Subject.ALERTS: r"alerts?|alerting|firing|fires",
    Subject.ACKNOWLEDGED: r"acked|ack|acknowledged"
    r"|(?:anybody|anyone|somebody|someone)\s+(?:(?:else|already|now|currently|actually|even)\s+)*"
    r"(?:on\s+(?:it|this|that)|look(?:ing|s)?|working|aware|investigating|handling|here)",
    Subject.PROPOSAL: r"proposals?|proposed|approvals?\s+(?:pending|waiting)"
    r"|(?:needs?|pending|waiting\s+for)\s+(?:an?\s+)?approvals?"
    r"|(?:pending|waiting)\s+(?:actions?|remediations?|decisions?)|to\s+(?:be\s+)?approved?",
}
_PATTERNS = {subject: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for subject, words in _WORDS.items()}
_OF_SYSTEMS = {
    Subject.DISK: re.compile(r"\bno space left\b|\benospc\b|\bdisk quota exceeded\b|\bread-only file ?system\b", re.IGNORECASE),
    Subject.MEMORY: re.compile(r"\bcannot allocate\b|\bout ?of ?memory\b|\benomem\b", re.IGNORECASE),
}
"""How systems say it."""
_DATABASE = re.compile(
    r"(?:^|[-_. ])(?:db|database|sql|postgres\w*|pg|mysql|mariadb|mongo\w*|redis|cassandra)(?:$|[-_. \d])", re.I
)
_OF_DATABASES = re.compile(r"connection|\bdb\b|db_|database|sql|pool|quer(?:y|ies)|replication|deadlock", re.I)
"""Connections are those of a pool to a database, and tell nothing of the network."""
_DATABASE_SIGNAL = re.compile(r"\bdb\b|db_|database|sql|pool|quer(?:y|ies)|replication|deadlock", re.I)
_KINDS: Mapping[Subject, AlertKind] = {Subject.MEMORY: "memory", Subject.CPU: "cpu", Subject.DISK: "disk"}
_FAMILIES: Mapping[Subject, frozenset[Family]] = {
    Subject.NETWORK: frozenset({"network"}),
    Subject.TRAFFIC: frozenset({"traffic"}),
    Subject.LATENCY: frozenset({"latency", "client"}),
    Subject.ERRORS: frozenset({"errors"}),
    Subject.PROVIDER: frozenset({"external"}),
}
_CAUSES: Mapping[Subject, str] = {Subject.CHANGE: "change", Subject.TRAFFIC: "traffic", Subject.PROVIDER: "external"}
SYMPTOMS = frozenset({Subject.LATENCY, Subject.ERRORS, Subject.HEALTH, Subject.RECOVERY})
"""What a service shows, whatever the cause: "is it slow?" asks how it is, "is it the network?" what causes it."""
SYMPTOM_WORDS = rf"\b(?:{'|'.join(_WORDS[subject] for subject in (Subject.LATENCY, Subject.ERRORS, Subject.HEALTH))})\b"
"""A pattern of the words that say what a service shows."""
MEASURED = frozenset({*_KINDS, *_FAMILIES, Subject.DATABASE, Subject.HEALTH})
"""Subjects that signals of services can tell."""


def subjects_in(text: str) -> frozenset[Subject]:
    """The kinds that a text, without the names of services, is about."""
    return frozenset(subject for subject, pattern in _PATTERNS.items() if pattern.search(text))


def without_subjects(text: str) -> str:
    """A text without the words by which subjects are recognised in it."""
    for pattern in _PATTERNS.values():
        text = pattern.sub(" ", text)
    return text


def names_subject(subject: Subject, text: str) -> bool:
    """Whether a text names the subject, in the words of a question or in those of a system's own messages."""
    return bool(_PATTERNS[subject].search(text)) or (subject in _OF_SYSTEMS and bool(_OF_SYSTEMS[subject].search(text)))


def looks_like_database(service: str) -> bool:
    """Whether a service's name says that it is a database."""
    return bool(_DATABASE.search(service))


def measures(subject: Subject, service: str, signal: str, family: Family) -> bool:
    """Whether a signal of a service tells something of this subject."""
    in_words = signal.replace("_", " ")
    if subject is Subject.HEALTH:
        return True
    if subject is Subject.DATABASE:
        return looks_like_database(service) or bool(_DATABASE_SIGNAL.search(signal))
    if subject in _KINDS:
        return kind_of(in_words) == _KINDS[subject]
    if subject is Subject.NETWORK and not _OF_DATABASES.search(signal) and kind_of(in_words) == "network":
        return True
    return family in _FAMILIES.get(subject, ())


def is_cause(subject: Subject, hypothesis: Hypothesis) -> bool:
    """Whether a ranked cause is of this subject, by its kind; of resources by its words.

    The text of a change holds a title in words of others: "Read stock in one request" is no traffic.
    """
    if subject is Subject.DATABASE and looks_like_database(hypothesis.service):
        return True
    if subject in _CAUSES or hypothesis.kind == "change":
        return hypothesis.kind == _CAUSES.get(subject)
    return bool(_PATTERNS[subject].search(hypothesis.cause))
