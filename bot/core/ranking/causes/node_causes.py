"""Machines as causes below the services: a node or zone whose pods fail together, a host that gives time to other guests."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import Candidate, add_symptoms, deviation_claim
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.observations import BreakdownRow, Observations, ObservedBreakdown
from bot.core.text.untrusted import one_line

_NEARLY_ALL = 0.8
"""Share of a signal's change that must lie on one node."""
_FEWEST = 2
"""Pods, or services where only nodes were told apart: a single one is rather at fault itself."""
_OF_FAIR_SHARE = 0.5
"""Share of an even part of the node's change from which on a pod shares it."""
_NODE_LABELS = ("node", "nodename", "kubernetes_node")
_PLACES = (
    ("node", re.compile(r"(^|[._])(k8s[._]?)?node(_?name)?([._]name)?$", re.I)),
    ("host", re.compile(r"^(host[._]?name|machine(_?name)?)$", re.I)),
    ("zone", re.compile(r"(^|[._])(availability_?)?zone$|(^|[._])az$", re.I)),
    ("region", re.compile(r"(^|[._])(cloud|aws|gcp|azure)[._]region$", re.I)),
    ("rack", re.compile(r"(^|[._])rack$", re.I)),
)
"""Fields of lines that say where something ran, as OpenTelemetry, Kubernetes and most loggers name them.

Callers choose what stands in `host`, and in `region` where they live.
"""


_STEAL = re.compile(
    r"(?<![a-z])cpu(?!\w*work)[\W_a-z]{0,30}?(?<![a-z])(steal|stolen)(?![a-z])|"
    r"(?<![a-z])(steal|stolen)_?(pct|percent|ratio|time|seconds)(?![a-z])|^steal$",
    re.I,
)
"""As the kernel counts it (proc(5), `/proc/stat`); tasks that a scheduler's workers take from each other are none."""


@dataclass(frozen=True)
class _Concentration:
    """One signal, or the failing lines, of one service that lie on one node."""

    service: str
    node: str
    pods: int
    """Pods on it that share the change; 1 where the split is by node."""
    text: str
    evidence: tuple[str, ...]
    place: str = "node"
    """What kind of place it is."""
    lines: bool = False
    """True where failing lines say so."""


def node_causes(context: RankingContext) -> list[Candidate]:
    """One candidate for each node on which the changes of several pods lie, attributed to its most suspect service.

    Splits by node say so themselves; splits by pod do where the cluster told which pod runs where. A service without pods on
    other nodes says nothing: there is nothing to compare with. Sure where the failing lines of several services hold it.
    """
    by_node: dict[str, list[_Concentration]] = defaultdict(list)
    for concentration in (*_concentrations(context.observations), *_of_lines(context.observations)):
        by_node[concentration.node].append(concentration)
    shared = {node: own for node, own in by_node.items() if _is_shared(own)}
    return [cause for node, own in shared.items() if (cause := _cause(context, node, own)).likelihood > 0]


def _concentrations(observations: Observations) -> Iterator[_Concentration]:
    for breakdown in observations.breakdowns:
        rows = list(_on_nodes(breakdown, observations))
        moved: dict[str, float] = defaultdict(float)
        for node, row, _ in rows:
            moved[node] += row.share
        node = max(moved, key=lambda name: moved[name], default="")
        if len(moved) < _FEWEST or moved[node] < _NEARLY_ALL:
            continue
        own = [(row, placed) for place, row, placed in rows if place == node]
        fair = moved[node] / len(own)
        evidence = dict.fromkeys([breakdown.evidence, *(placed for _, placed in own if placed)])
        pods = sum(row.share >= _OF_FAIR_SHARE * fair for row, _ in own)
        text = f"{breakdown.signal} of {breakdown.service} changed on {one_line(node, 100)}, and hardly on other nodes"
        yield _Concentration(breakdown.service, node, pods, text, tuple(evidence))


def _of_lines(observations: Observations) -> Iterator[_Concentration]:
    """The failing lines of a service that name one place, while its other lines name several."""
    for contrast in observations.contrasts:
        fact, service = contrast.fact, contrast.service
        place = next((place for place, names in _PLACES if names.search(fact.field)), "")
        if place:
            text = (
                f"{fact.failing} of {fact.of} failing lines of {service} are of {place} {one_line(fact.value, 100)}, "
                f"{fact.others} of its {fact.others_of} other lines"
            )
            yield _Concentration(service, fact.value, fact.pods, text, (contrast.evidence,), place, lines=True)


def _on_nodes(breakdown: ObservedBreakdown, observations: Observations) -> Iterator[tuple[str, BreakdownRow, str]]:
    """The node of each row, and the evidence that placed its pod there; rows of unknown place, or gone, are left out."""
    for row in (row for row in breakdown.rows if not math.isnan(row.after)):
        node = next((row.labels[label] for label in _NODE_LABELS if row.labels.get(label)), "")
        placement = observations.placements.get(row.labels.get("pod", ""))
        if node:
            yield node, row, ""
        elif placement:
            yield placement.node, row, placement.evidence


def _is_shared(own: Sequence[_Concentration]) -> bool:
    pods: Mapping[str, int] = {
        concentration.service: max(o.pods for o in own if o.service == concentration.service) for concentration in own
    }
    return sum(pods.values()) >= _FEWEST


def _cause(context: RankingContext, node: str, own: Sequence[_Concentration]) -> Candidate:
    services = sorted(
        dict.fromkeys(concentration.service for concentration in own), key=lambda s: (-context.shares.get(s, 0.0), s)
    )
    share = min(1.0, sum(context.shares.get(service, 0.0) for service in services))
    weights, place = context.tuning.outside, own[0].place
    # What several services say by themselves of one place is no slip of one of them.
    several = len({one.service for one in own if one.place == place and one.lines}) > 1
    candidate = Candidate(
        kind="external",
        service=services[0],
        component=node,
        likelihood=max(share, weights.least_share if several else 0.0) * (weights.sure if several else weights.named),
        cause=f"{place.capitalize()} {one_line(node, 100)} fails, and the pods of {_listed(services)} there with it",
        check=f"Read the events and the pressure of {place} {one_line(node, 100)}, and move one pod elsewhere",
        sure=several,
        outside=True,
    )
    candidate.claims += [Claim(text=one_line(one.text, 400), evidence=list(one.evidence)) for one in own[:3]]
    add_symptoms(context, candidate)
    return candidate


def _listed(services: Iterable[str]) -> str:
    return " and ".join(one_line(service, 60) for service in list(services)[:3])


def stolen_time_causes(context: RankingContext) -> list[Candidate]:
    """One candidate where such time rose clearly, no later than anything failed; attributed to its most suspect service."""
    concerned = {*context.below, *dict(context.suspects())}
    stolen = [
        deviation
        for (service, signal), deviation in context.observations.all_signals.items()
        if _STEAL.search(signal) and service in concerned and _rose_first(deviation, context)
    ]
    if not stolen:
        return []
    services = sorted({one.service for one in stolen}, key=lambda s: (-context.shares.get(s, 0.0), s))
    weights = context.tuning.outside
    share = min(1.0, sum(context.shares.get(service, 0.0) for service in services))
    first = next(one for one in stolen if one.service == services[0])
    cause = Candidate(
        kind="external",
        service=services[0],
        likelihood=max(share, weights.least_share) * weights.sure,
        cause=f"The host of {one_line(services[0], 80)} gives its processor time to other guests",
        check="Move the virtual machine to another host, and read what else runs on this one",
        began=first.onset,
        strength=first.doublings,
        sure=True,
        outside=True,
    )
    cause.claims += [deviation_claim(one, context.observations) for one in stolen[:2]]
    add_symptoms(context, cause)
    return [cause]


def _rose_first(deviation: Deviation, context: RankingContext) -> bool:
    clear = deviation.direction == "up" and deviation.doublings >= context.tuning.confidence.sure
    return clear and deviation.onset is not None and deviation.onset <= context.onset + DETECTION_DELAY
