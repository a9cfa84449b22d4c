"""Causes outside the team's own code, from what lines and alerts say: providers, certificates, names, nodes, broken records.

Such evidence outranks nearness in time: a deploy that came minutes before a certificate expired did not expire it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.diffs.symptoms.code_text import without_values
from bot.core.diffs.symptoms.request_text import reports_failure, without_requests
from bot.core.diffs.symptoms.stated_causes import (
    BY_HAND,
    CLOCKS,
    FILLED,
    LOCKED,
    MACHINES,
    MEMBERS,
    NOT_RESOLVED,
    USED_UP,
    different_hosts,
)
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.evidence import CauseKind, Claim
from bot.core.ranking.candidates import Candidate, add_symptoms
from bot.core.ranking.causes.outside_hosts import PROVIDER_FAILS, failing_hosts, service_of_line
from bot.core.ranking.changes.code_evidence import symptoms_of
from bot.core.ranking.context import RankingContext
from bot.core.text.untrusted import one_line

_AT_ONCE = timedelta(seconds=90)
"""A command that somebody typed and what it broke lie so near to each other: a sample and the time it takes."""
_QUOTA = r"\b(quota|(hourly|daily|weekly|monthly|spend|spending|usage) (\w+ )?limit)\b"


@dataclass(frozen=True)
class _Kind:
    """One kind of cause outside: what lines say of it, and how it is put to people."""

    pattern: re.Pattern[str]
    kind: CauseKind
    cause: str
    check: str
    sure: bool
    doubtless: re.Pattern[str] | None = None
    """A line that holds this as well is enough, and makes it sure: nothing else says it."""
    leads_only: bool = False
    """What lines say of it is how a change may fail as well: it is never more than a lead."""


_KINDS = (
    _Kind(
        re.compile(
            r"certificate[ _](has |is )?(been )?(expired|not yet valid|revoked)|cert\w*\b.{0,40}\bexpired|x509: .*expired", re.I
        ),
        "external",
        "A certificate that {service} relies on is no longer valid",
        "Read the dates of the certificate at the address that the line names",
        sure=False,
        doubtless=re.compile(r"x509|\b(?:ssl|tls)|handshake|pkix|\bcertificate verif", re.I),
    ),
    _Kind(
        re.compile(
            r"(api.?key|credential\w*|licen[cs]e|secret|password|subscription|api[ _-]?token)\b"
            r".{0,80}\b(expired|revoked|suspended)|token[_-]revoked|"
            r"token\b(?!.{0,40}\b(?:user|session|customer)\b).{0,80}\brevoked|\b401 bad credentials|"
            r"(returned|responded|answered|replied|got|status) (with )?\W?401\b.{0,160}\bexpired|"
            r"password authentication failed|invalid_(grant|client)\b|\bKDC_ERR_KEY_EXPIRED\b|"
            # What Active Directory answers of a password or an account that is over; not of somebody who logs in.
            r"^(?!.*\b(user|login|logon|customer)\b).*AcceptSecurityContext error, data (532|701)\b|"
            r"(cannot|could not|unable to|failed to) (fetch|obtain|refresh|request) (an? |the )?(\w+ )?token\b(?! from)"
            r".{0,40}[:=(] ?40[013]\b(?! ?m?s\b)|"
            r"\btoken (request|refresh|exchange)\b.{0,120}\b(failed|refused|rejected|denied)\W{1,4}(with )?(status |HTTP )?"
            r"40[013]\b(?! ?m?s\b)",
            re.I,
        ),
        "external",
        "A credential of {service} has expired or was revoked",
        "Read until when the credential was valid, and who revoked it",
        sure=False,
    ),
    # Programs renew these every hour or so: that one has expired is often what a change did to that.
    _Kind(
        re.compile(
            r"\b(access|auth|security|jwt|bearer)[ _-]?token\b.{0,80}\bexpired|expired.?token|token[_-]expired|"
            r"\btoken\b(?!.{0,40}\b(?:user|session|customer)\b).{0,80}\bis expired",
            re.I,
        ),
        "external",
        "A token of {service} has expired and was not renewed",
        "Read when the token was renewed last, and what renews it",
        sure=False,
        leads_only=True,
    ),
    _Kind(
        re.compile(
            r"\b410 gone\b(?=.{0,10}[:{\"])|version.?retired|"
            r"\b(api|version|endpoint)\b.{0,40}\b(was|is|been) (retired|sunset)\b",
            re.I,
        ),
        "external",
        "An API that {service} calls was retired by its provider",
        "Look up when that version was retired, and what replaces it",
        sure=False,
    ),
    _Kind(
        NOT_RESOLVED,
        "external",
        "Names that {service} looks up are not resolved",
        "Resolve the name that the line holds from a pod and from outside",
        sure=False,
    ),
    _Kind(
        re.compile(
            r"\bprovider\b.{0,160}\b(5\d\d|overload\w*|degraded|unavailable|outage)\b|"
            r"\b(5\d\d|overload\w*|degraded)\b.{0,80}\bprovider|\b529\b|overloaded_error",
            re.I,
        ),
        "external",
        "The provider that {service} calls fails",
        "Read the provider's status page, and call it once from outside",
        sure=False,
    ),
    _Kind(
        re.compile(
            r"packet loss|network (is )?unreachable|no route to host|network partition|link (is )?down|\bbgp\b|"
            + CLOCKS.pattern,
            re.I,
        ),
        "external",
        "The network or the clocks below {service} fail",
        "Measure the round trip and the offset of the clock between the hosts that the lines name",
        sure=False,
    ),
    _Kind(
        re.compile(
            r"\bddos\b|crawler|scrap(er|ing)|bot traffic|flash.?sale|(traffic|request) (spike|surge|flood)|"
            r"account .{0,20}(suspended|over its limit)",
            re.I,
        ),
        "traffic",
        "{service} is asked for more than it may serve",
        "Read which clients bring the requests, and what the quota is",
        sure=False,
    ),
    _Kind(
        re.compile(
            rf"{_QUOTA}.{{0,60}}\b(reached|exceeded|exhausted|used up)\b(?<!not reached)|"
            rf"\b(reached|exceeded|exhausted|used up|over)\b.{{0,40}}{_QUOTA}",
            re.I,
        ),
        "resource",
        "{service} has used up a quota or a limit of spending",
        "Read how much of the quota is left, when it begins anew, and who used it",
        sure=False,
    ),
    _Kind(
        MACHINES,
        "external",
        "The machine or zone below {service} fails",
        "Read the events of the node that the pods of {service} run on",
        sure=False,
    ),
    _Kind(
        MEMBERS,
        "external",
        "A store or queue that {service} uses has lost a member",
        "Read the state of the members of the cluster that the lines name",
        sure=False,
    ),
    _Kind(
        BY_HAND,
        "external",
        "Somebody changed {service} by hand",
        "Ask who ran the command that the line names, and what it was for",
        sure=False,
    ),
    _Kind(
        LOCKED,
        "external",
        "Somebody else holds a lock that {service} waits for",
        "Read which session holds the lock, whose it is and since when",
        sure=False,
        leads_only=True,
    ),
    _Kind(
        re.compile(f"{USED_UP.pattern}|{FILLED.pattern}", re.I),
        "resource",
        "{service} has used up what a type, a sequence, a store or a network can count",
        "Read how far the sequence, the column, the inodes, the quota or the ports that the line names are used up",
        sure=False,
    ),
    _Kind(
        re.compile(r"no space left on device|\benospc\b|disk (is )?full", re.I),
        "resource",
        "{service} has no space left on a disk",
        "Read how full its volumes are, and what fills them",
        sure=False,
        leads_only=True,
    ),
    _Kind(
        re.compile(r"\boom.?kill|out.?of.?memory|cannot allocate memory|java heap space", re.I),
        "resource",
        "{service} runs out of memory",
        "Read its memory against its limit since the last deploy",
        sure=False,
        leads_only=True,
    ),
    _Kind(
        re.compile(r"too many open files|\bemfile\b", re.I),
        "resource",
        "{service} has no file descriptors left",
        "Read how many files and connections it holds open, and its limit",
        sure=False,
        leads_only=True,
    ),
    _Kind(
        re.compile(
            r"re-?deliver|poison|same (offset|message|record|event)|"
            r"(malformed|corrupt(ed)?|truncated|invalid|unparse?able) (record|message|event|payload|file|row|feed|batch|"
            r"input(?! (value|syntax)))|"
            r"(record|message|event|row|feed)\b.{0,60}(out of range|unparse?able|malformed|corrupt|rejected|schema mismatch)",
            re.I,
        ),
        "unknown",
        "{service} cannot process a record that comes again and again",
        "Set the record that the lines name aside and watch whether {service} goes on",
        sure=False,
    ),
)


def outside_causes(context: RankingContext) -> list[Candidate]:
    """What lines and alerts say of causes outside, one candidate for each kind and service that says so."""
    symptoms = symptoms_of(context.observations, context.summary)
    # Those whose host the lines name first: they say more than that some provider fails.
    candidates = [*_providers(context, symptoms), *_of_kinds(context, symptoms)]
    best: dict[tuple[str, str], Candidate] = {}
    for candidate in candidates:
        key = (candidate.cause, candidate.service)
        if key not in best or candidate.likelihood > best[key].likelihood:
            best[key] = candidate
    return list(best.values())


def _of_kinds(context: RankingContext, symptoms: Symptoms) -> Iterable[Candidate]:
    for kind in _KINDS:
        matching = [line for line in symptoms.new() if kind.pattern.search(line.text)]
        services = list(dict.fromkeys(service_of_line(context, line) for line in matching))
        # What several services say of what lies below them all is no slip of one of them.
        many = len(services) > 1 or (kind.pattern is NOT_RESOLVED and different_hosts(line.text for line in matching))
        several = replace(kind, sure=not kind.leads_only and (kind.sure or (kind.kind == "external" and many)))
        for service in services:
            lines = [line for line in matching if service_of_line(context, line) == service]
            yield _candidate(context, service, several, kind.cause.format(service=service), lines)


def _providers(context: RankingContext, symptoms: Symptoms) -> Iterable[Candidate]:
    """Hosts outside whose calls fail: more surely so where several services say it of one."""
    for host, lines in failing_hosts(context, symptoms).items():
        services = list(dict.fromkeys(service_of_line(context, line) for line in lines))
        kind = _Kind(
            PROVIDER_FAILS, "external", "", "Read the provider's status page, and call it once from outside", len(services) > 1
        )
        for service in services:
            yield _candidate(context, service, kind, f"{one_line(host, 100)}, which {service} calls, fails", lines)


def _came_with_failure(context: RankingContext, service: str, lines: Sequence[SymptomText]) -> bool:
    """Whether somebody typed it within a minute or so of when its service, or what is investigated, began to fail."""
    evidence = {line.evidence for line in lines}
    moments = (
        template.first
        for template in context.observations.templates
        if template.evidence in evidence and _is_typed_command(template.example or template.text)
    )
    onsets = (context.onset_of(service), context.onset)
    return any(abs(moment - onset) <= _AT_ONCE for moment in moments if moment for onset in onsets)


def _is_typed_command(text: str) -> bool:
    """Whether a line reports a command: one in what a request holds, or that failed, may be any text that somebody sent."""
    return bool(BY_HAND.search(without_values(without_requests(text)))) and not reports_failure(text)


def _candidate(context: RankingContext, service: str, kind: _Kind, cause: str, lines: Sequence[SymptomText]) -> Candidate:
    weights = context.tuning.outside
    if kind.pattern is BY_HAND and _came_with_failure(context, service, lines):
        kind = replace(kind, doubtless=BY_HAND)
    doubtless = kind.doubtless is not None and any(kind.doubtless.search(line.text) for line in lines)
    sure = kind.sure or doubtless
    share = max(context.shares.get(service, 0.0), weights.doubtless_share if doubtless else weights.least_share)
    candidate = Candidate(
        kind=kind.kind,
        service=service,
        likelihood=share * (weights.sure if sure else weights.named),
        cause=cause,
        check=kind.check.format(service=service),
        sure=sure,
        outside=True,
        leads_only=kind.leads_only or all(line.alert for line in lines),
    )
    for line in lines[:2]:
        text = f"{'The alert says' if line.alert else f'{service} logs'} {one_line(line.text, 240)}"
        candidate.claims.append(Claim(text=one_line(text, 400), evidence=[line.evidence]))
    add_symptoms(context, candidate)
    return candidate
