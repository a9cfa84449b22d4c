"""Hosts outside the team's systems that lines of failing calls name."""

import re

from bot.core.diffs.symptoms.stated_causes import NOT_RESOLVED
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.ranking.context import RankingContext

PROVIDER_FAILS = re.compile(
    r"(?<![\d.])\b5(0\d|1[01]|2\d|30|98|99)\b(?!\.\d)|service ?unavailable|internal ?(server ?)?error|slow ?down|"
    r"timed? ?out|time-?out|connection (refused|reset)|"
    r"unreachable|outage|degraded|overloaded|bad gateway|throttl|rate.?limit|\b429\b|(unexpected|invalid) (response|"
    r"reply|status|content)",
    re.I,
)
"""With the answers of HTTP alone: 550 is a mail that was refused."""
_HOST = re.compile(
    r"(?<![\w@.-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|cloud|app|ai|co|us|eu|de|uk))(?![\w-]|\.\w)",
    re.I,
)
_HOST_CALLED = re.compile(r"(?:(?<=://)|(?<=\(to ))((?:[a-z0-9-]+\.)+[a-z]{2,})(?![\w-])", re.I)
"""In a URL, and as a field of the line named it (`bot.core.logs.failure_fields`)."""
_OWN_HOST = re.compile(r"\.(svc|local|internal|cluster|lan|corp|intra)(\.|$)", re.I)


def failing_hosts(context: RankingContext, symptoms: Symptoms) -> dict[str, list[SymptomText]]:
    """Each host outside, in small letters, with the new lines that tell of a failing call of it."""
    by_host: dict[str, list[SymptomText]] = {}
    for line in symptoms.new():
        # Where its name was not found, nobody has asked the host.
        if PROVIDER_FAILS.search(line.text) and not NOT_RESOLVED.search(line.text):
            named = {host.casefold() for host in (*_HOST.findall(line.text), *_HOST_CALLED.findall(line.text))}
            for host in sorted(host for host in named if _is_outside(host, context)):
                by_host.setdefault(host, []).append(line)
    # The alert alone may as well name the team's own address, of which it tells.
    return {host: lines for host, lines in by_host.items() if not all(line.alert for line in lines)}


def _is_outside(host: str, context: RankingContext) -> bool:
    services = {service.casefold() for service in (*context.observations.checked, *context.observations.depends_on)}
    return not _OWN_HOST.search(host) and host.casefold().split(".")[0] not in services


def service_of_line(context: RankingContext, line: SymptomText) -> str:
    """The service whose lines these are; the alerting service for its own words."""
    observations = context.observations
    return next((t.service for t in observations.templates if t.evidence == line.evidence), context.start)
