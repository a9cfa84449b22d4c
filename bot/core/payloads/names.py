"""What names of fields mean: how well the words of a name fit a title, a severity, a status and so on."""

from collections.abc import Collection, Mapping, Set
from enum import StrEnum
from functools import lru_cache

from bot.core.payloads.leaves import word_set


class AlertField(StrEnum):
    """What is looked for in a document."""

    NAME = "name"
    STATUS = "status"
    SEVERITY = "severity"
    SERVICE = "service"
    SUMMARY = "summary"
    STARTS_AT = "starts_at"
    ENDS_AT = "ends_at"
    LINK = "link"
    EXPRESSION = "expression"
    FINGERPRINT = "fingerprint"


Table = Mapping[tuple[str, ...], float]


def _table(text: str) -> Table:
    """`alert name 10, title 10` as words -> worth."""
    rows = (row.rsplit(" ", 1) for row in text.replace("\n", " ").split(","))
    return {tuple(words.split()): float(worth) for words, worth in rows}


NAMES: Mapping[AlertField, Table] = {
    AlertField.NAME: _table(
        "title 10, alertname 10, alert name 10, alarm name 10, headline 10, problem name 10, trigger name 9.5, "
        "monitor name 9.5, rule name 9, rulename 9, search name 9, incident name 9, subject 9, event name 8.5, "
        "check name 8.5, alert rule 8, summary 8.5, short description 8.5, condition name 7.5, name 7.5, message 7, msg 7, "
        "alert 7, policy name 6.5, alarm 6.5, text 6, rule 6, problem 6, issue 6, display name 6, description 5.5, "
        "check 5, error 5, monitor 5, test name 5, condition 5, reason 4, output 4, body 4, metric name 4, info 3.5, "
        "detail 3.5, content 3, culprit 3, note 2"
    ),
    AlertField.SUMMARY: _table(
        "summary 10, description 9, short description 9, state reason 8.5, message 8, msg 8, text 7, body 7, "
        "alert message 9, reason 7, detail 6.5, content 6, error 6, subject 5, output 6, note 4, culprit 4"
    ),
    AlertField.SEVERITY: _table(
        "severity 10, sev 9, alert level 9, criticality 9, priority 8, prio 8, urgency 7, level 7, importance 7, impact 5, "
        "alert type 5, state 3, status 3, result 3, type 2, grade 4, class 2, notification type 2"
    ),
    AlertField.STATUS: _table(
        "status 10, status code 9, state 9.5, new state 10.5, current state 10.5, current status 10.5, transition 9.5, "
        "event type 9, notification type 10, event action 9, action 8, alert type 6, message type 7, event 6, event name 6, "
        "type 4, result 5, phase 5, lifecycle 5, health 6, trigger 5, outcome 4, condition 7"
    ),
    AlertField.SERVICE: _table(
        "service 10, application 9.5, app 9.5, component 9, impacted entity 8.8, affected entity 8.8, function 8.5, "
        "host 8, hostname 8, node 8, server 8, machine 8, vm 8, device 8, computer 8, pod 7.8, container 7.6, "
        "instance 7.5, load balancer 7.5, entity 7.5, workload 7, deployment 7, job 7, database 7, db 7, resource 7, "
        "queue 6.5, topic 6.5, target 6, configuration item 6, cluster 5.5, site 5, project 5, endpoint 4.5, team 4, "
        "source 3.8, client 4.5, customer 3.5, tenant 3.5, namespace 3.2, monitor 3, metric name 2.5, metric 2, folder 1.5, "
        "environment 1, env 1, region 0.5, agent name 4.2"
    ),
    AlertField.STARTS_AT: _table(
        "start at 10, started at 10, start time 10, active at 10, triggered at 9.5, fired at 9.5, trigger time 9, "
        "opened at 9.5, created at 8, creation time 8, state change time 8.5, state transitioned 8, first seen 7, since 8, "
        "begin at 9, occurred at 7.5, event time 7, fired date time 9.5, timestamp 6.5, datetime 6, clock 7, time 6, "
        "date 5, created 6, started 9, fired 6, event timestamp 7"
    ),
    AlertField.ENDS_AT: _table(
        "end at 10, ended at 10, end time 10, resolved at 10, recovered at 10, closed at 10, cleared at 10, ended 9, "
        "resolved date time 10, closed time 9, resolution time 9, recovery time 9, recovery timestamp 9, resolve time 9"
    ),
    AlertField.LINK: _table(
        "permalink 10, html url 10, web url 10, alert url 10, incident url 10, issue url 10, problem url 10, event url 9, "
        "monitor url 9, generator url 9, alert link 9, link 8.5, url 8, detail url 8, dashboard url 6, callback url 7, "
        "console url 7, deep link url 8, href 5, uri 4"
    ),
    AlertField.EXPRESSION: _table(
        "query 9, promql 10, nrql 10, nrql query 10, expr 10, expression 10, alert query 10, condition expression 8, logql 10"
    ),
    AlertField.FINGERPRINT: _table(
        "fingerprint 10, dedup key 10, deduplication key 10, dedupe key 10, incident key 10, alert key 9.5, problem id 9, "
        "issue id 9, incident id 9, alert id 8, alias 8, correlation id 8, alarm arn 10, group key 5"
    ),
}
_BEGINNING = word_set(
    "start started begin began begun since open opened active activated trigger triggered fire fired first create created "
    "creation occur occurred detected raised"
)
FLAGS = {
    **dict.fromkeys(("resolved", "recovered", "closed", "cleared", "is resolved", "is closed"), True),
    **dict.fromkeys(("firing", "active", "is active", "is firing", "is open", "alerting"), False),
}
"""Names of yes and no -> whether yes means that it is over."""

_FILLERS = word_set("name value text label string level word display slug full short raw code")
_OTHER_THINGS = word_set(
    "id uid uuid url link count number type code color colour time at key format uri template duration ago hash "
    "icon image email mail arn ref version count status reason by"
)
"""A name that goes on with one of these names another thing: a title id is no title."""
_OF_A_SERVICE = word_set("state output message perfdata owner team contact tier")
"""What is measured of a service, and whose it is, is no service."""
_OPEN_ENDED = frozenset((AlertField.STARTS_AT, AlertField.ENDS_AT, AlertField.LINK, AlertField.FINGERPRINT))
"""Fields whose names end in such words themselves."""
NAMED_THINGS = word_set(
    "host service resource user project cluster team org organization account customer instance pod node device "
    "file rule_group group metric integration channel receiver field tag label browser o workflow sender author "
    "region zone environment policy namespace function queue topic database container job server machine "
    "application app component entity agent assignee priority urgency manager decoder"
)
"""The name or summary of one of these is not what an alert is called, nor what it says is wrong."""
_EARLIER = word_set("previous prev old prior last from before was former desired expected no exec monitoring")
_RESOLVING = word_set("resolve resolver")
"""The server that resolves names for a check is not what the check is about."""
_APART = word_set(
    "request user browser query geo header actor author assignee owner recipient contact escalation stacktrace "
    "frame breadcrumb sdk device os runtime cookie viewer schedule webhook creator organization org meta response"
)
"""Parts of a document that tell of something beside the alert."""
_ASIDE = word_set("context config configuration setting documentation doc runbook metadata integration account previous old")
LEVEL_COST, APART_COST, ASIDE_COST = 0.3, 4.0, 1.5


@lru_cache(maxsize=8192)
def worth_of(field: AlertField, words: tuple[str, ...]) -> float:
    """How well a name fits a field, 0 to 10.5; 0 if not at all."""
    table = NAMES[field]
    worths = (_fit(field, words, phrase, value) for phrase, value in table.items())
    return max((0.0, *worths))


def _fit(field: AlertField, words: tuple[str, ...], phrase: tuple[str, ...], value: float) -> float:
    start = next((i for i in range(len(words) - len(phrase) + 1) if words[i : i + len(phrase)] == phrase), None)
    if start is None:
        return 0.0
    before, after = words[:start], words[start + len(phrase) :]
    if _is_other(field, phrase, before, after):
        return 0.0
    fillers = _FILLERS | {"summary"} if field in (AlertField.SERVICE, AlertField.SEVERITY) else _FILLERS
    return max(0.0, value - 0.5 * len(before) - sum(0.2 if word in fillers else 1.5 for word in after))


def _is_other(field: AlertField, phrase: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether the words around a phrase make it the name of something else."""
    if field in (AlertField.NAME, AlertField.SUMMARY) and phrase[-1] in ("name", "summary") and NAMED_THINGS & set(before[-1:]):
        return True
    if field in (AlertField.STATUS, AlertField.SEVERITY, AlertField.SERVICE) and _EARLIER & set(before):
        return True
    if field is AlertField.SERVICE and _RESOLVING & set(before):
        return True
    others = (_OTHER_THINGS - {"id"}) | _OF_A_SERVICE if field is AlertField.SERVICE else _OTHER_THINGS
    return field not in _OPEN_ENDED and bool(others & set(after))


def names_beginning(words: Collection[str]) -> bool:
    """Whether the name of a time says that something began then; `timestamp` and `date` may be those of each report."""
    return not _BEGINNING.isdisjoint(words)


@lru_cache(maxsize=4096)
def cost_of(around: Set[str]) -> float:
    """What a value loses by the parts of the document in which it stands."""
    return APART_COST * bool(_APART & around) + ASIDE_COST * bool(_ASIDE & around)
