"""Queries that show whether a service is healthy: from the catalogue, from the alert, or derived from names of metrics."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.evidence import Case
from bot.core.facts.measured import Family
from bot.core.infrastructure.exporters import subject_of, workload_of
from bot.core.metrics.expression import condition_of
from bot.core.metrics.promql import Matcher, equal_to, is_label_name, selector
from bot.core.metrics.signal_names import Harm, family_of, harm_of, is_in_flight
from bot.core.service import Service

SERVICE_LABELS = ("service", "app", "app_kubernetes_io_name", "deployment", "job", "container")
"""Labels that usually name the service, the likeliest first."""
CODE_LABELS = ("code", "status", "status_code", "http_status_code", "http_response_status_code", "grpc_code")
FAILED_CODES = (
    "5..|[eE]rror|fail.*|UNAVAILABLE|Unavailable|INTERNAL|Internal|UNKNOWN|Unknown|DEADLINE_EXCEEDED|DeadlineExceeded"
)
_SHARES = frozenset({"ratio", "share", "percent", "%"})
MAX_DERIVED = 12
FAMILIES_BY_URGENCY: tuple[Family, ...] = ("errors", "latency", "external", "saturation", "traffic")


@dataclass(frozen=True)
class SignalQuery:
    """One signal of one service, ready to be queried. Numbers are in `unit`."""

    service: str
    name: str
    promql: str
    family: Family
    harm: Harm
    unit: str = ""
    bad_above: float | None = None
    bad_below: float | None = None
    labels: Mapping[str, str] | None = None
    """Only series that do not contradict these labels count: an alert's expression covers many services."""

    @property
    def has_threshold(self) -> bool:
        """True if a single value can be judged: its owners set a threshold."""
        return self.bad_above is not None or self.bad_below is not None

    def is_bad(self, value: float) -> bool:
        """True if the value is beyond a threshold; NaN never is."""
        above = self.bad_above is not None and value > self.bad_above
        return above or (self.bad_below is not None and value < self.bad_below)

    def concerns(self, labels: Mapping[str, str]) -> bool:
        """False for a series that belongs to another alert."""
        return all(self.labels.get(name, value) == value for name, value in labels.items()) if self.labels else True


def catalogue_signals(service: Service) -> list[SignalQuery]:
    """The signals that the catalogue lists, in its order."""
    queries = []
    for name, signal in service.signals.items():
        family = family_of(name)
        if family == "traffic" and signal.unit in _SHARES:
            family = "errors"  # "bad requests" as a share is no amount of traffic
        harm: Harm = "down" if signal.bad_below is not None and signal.bad_above is None else harm_of(name, family)
        queries.append(
            SignalQuery(service.name, name, signal.promql, family, harm, signal.unit, signal.bad_above, signal.bad_below)
        )
    return queries


def alert_signal(case: Case) -> SignalQuery | None:
    """The value behind the case's own alert; None if its source sends no expression, or one that cannot be parsed."""
    try:
        parts = condition_of(case.expression) if case.expression.strip() else None
    except ValueError:
        return None
    if parts is None or not parts.promql:
        return None
    family = family_of(f"{case.alert_name} {parts.promql}")
    falls = parts.bad_below is not None or (parts.comparison == "==" and parts.threshold == 0)
    harm: Harm = "down" if falls else "up" if parts.bad_above is not None else harm_of(case.alert_name, family)
    name = case.alert_name or "alert"
    unit = _unit_of(parts.promql, family, signal=f"{case.alert_name} {parts.promql}")
    return SignalQuery(
        case.service, name, parts.promql, family, harm, unit, parts.bad_above, parts.bad_below, dict(case.labels)
    )


def _unit_of(promql: str, family: Family, *, signal: str) -> str:
    if "_bytes" in promql and "/" not in promql:
        return "bytes"
    if family == "latency" and not is_in_flight(signal) and "milli" not in promql and "_ms" not in promql:
        # A state that is called waiting is no time.
        return "s" if _TIME.search(promql) else ""
    return "ratio" if family in ("errors", "external") and "/" in promql else ""


def service_matchers(service: str, labels: Mapping[str, str], entry: Service | None) -> list[tuple[Matcher, ...]]:
    """Ways to select the series of this service, the likeliest first.

    `labels`: of an alert, which may name it; `entry`: its entry in the catalogue.
    """
    if entry and entry.match:
        return [equal_to({name: value for name, value in entry.match.items() if is_label_name(name)})]
    if own := [name for name in SERVICE_LABELS if labels.get(name) == service]:
        return [(Matcher(name, service),) for name in own]
    usual, reported = [(Matcher(name, service),) for name in SERVICE_LABELS[:5]], _reported(service, labels)
    # All that an exporter of this service measures is of it; a mesh or a federation has less than the service itself.
    return [*reported, *usual] if service in labels.get("job", "") else [*usual, *reported]


def _reported(service: str, labels: Mapping[str, str]) -> list[tuple[Matcher, ...]]:
    """Where `labels` are of an exporter or probe that reports of the service: how to select what that measures of it.

    Of a workload it is nothing: pods come and go.
    """
    job = labels.get("job", "")
    if not job or list(subject_of(labels).names[:1]) != [service]:
        return []
    if service in job:
        return [equal_to({"job": job})]
    if workload_of(labels) == service:
        return []
    naming = {name: value for name, value in labels.items() if value == service and is_label_name(name)}
    address = {name: labels[name] for name in ("target", "instance") if labels.get(name)}
    return [equal_to({"job": job, **(naming or address)})]


# ---------------------------------------------------------------- derived from names of metrics

_TIME = re.compile(r"second|duration|latenc|delay|elapsed|response_?time|histogram_quantile", re.IGNORECASE)
_RATE = re.compile(r"(requests?|calls|handled|responses?|messages?)(_processed)?_(total|count)$")
_FAILURES = re.compile(r"(errors?|failures?|failed|exceptions?)_total$")
_OUTGOING = re.compile(r"client|outgoing|outbound|upstream")
_LATENCY = re.compile(
    r"(duration|latency|response_time|request|processing).*_(?P<unit>seconds|milliseconds|ms)_(?P<form>bucket|sum)$"
)
_WAITING = re.compile(r"(_in_use|_active_connections|queue_(depth|length|size)|_pending|_backlog|_lag|_waiting)$")
_MEMORY = re.compile(r"(resident_memory|memory_working_set|heap_used|memory_used)_bytes$")
_CPU = re.compile(r"cpu.*_seconds_total$")


def derived_signals(
    service: str, label_sets: Iterable[Mapping[str, str]], matchers: Sequence[Matcher], *, rate_window: str = "5m"
) -> list[SignalQuery]:
    """Signals of a service that the catalogue does not describe, from the names of its metrics and the labels of their codes.

    `label_sets` hold `__name__` and, where a metric has one, a code label. At most 12, the most informative first.
    """
    codes: dict[str, str] = {}
    for labels in label_sets:
        name = labels.get("__name__", "")
        code = next((label for label in CODE_LABELS if labels.get(label)), "")
        codes[name] = codes.get(name) or code
    derive = _QueryWriter(service, tuple(matchers), rate_window)
    signals = [signal for name, code in sorted(codes.items()) for signal in derive.signals(name, code, frozenset(codes))]
    unique = {signal.name: signal for signal in reversed(signals)}
    return sorted(unique.values(), key=_urgency)[:MAX_DERIVED]


def _urgency(signal: SignalQuery) -> tuple[int, bool, str]:
    """By family; within it, what the service serves before what it calls."""
    return FAMILIES_BY_URGENCY.index(signal.family), signal.name.startswith("client "), signal.name


@dataclass(frozen=True)
class _QueryWriter:
    service: str
    matchers: tuple[Matcher, ...]
    window: str

    def signals(self, name: str, code: str, all_names: frozenset[str]) -> list[SignalQuery]:
        """The signals that one metric shows; none for most."""
        if _RATE.search(name):
            return self._requests(name, code)
        if _FAILURES.search(name):
            return [self._signal(_words(name), f"sum({self._rate(name)})", "external" if _external(name) else "errors", "/s")]
        if match := _LATENCY.search(name):
            return self._latency(name, match["form"], "s" if match["unit"] == "seconds" else "ms", all_names)
        if name == "up":
            return [SignalQuery(self.service, "up", f"min({self._select(name)})", "errors", "down", bad_below=1)]
        if name.endswith("container_status_restarts_total"):
            return [self._signal("restarts", f"sum(increase({self._select(name)}[{self.window}]))", "saturation", "")]
        return self._resources(name)

    def _requests(self, name: str, code: str) -> list[SignalQuery]:
        prefix, family = _side(name)
        total = f"sum({self._rate(name)})"
        traffic = self._signal(f"{prefix}traffic", total, "traffic", "/s")
        if not code:
            return [traffic]
        failed = f"sum({self._rate(name, Matcher(code, FAILED_CODES, '=~'))})"
        # Without `or`, a service that has not failed yet has no series, and its past would be unknown instead of zero.
        ratio = f"({failed} or vector(0)) / {total}"
        return [self._signal(f"{prefix}errors", ratio, family, "ratio"), traffic]

    def _latency(self, name: str, form: str, unit: str, all_names: frozenset[str]) -> list[SignalQuery]:
        prefix, family = _side(name)
        family = "latency" if family == "errors" else family
        if form == "bucket":
            promql = f"histogram_quantile(0.95, sum by (le) ({self._rate(name)}))"
            return [self._signal(f"{prefix}latency p95", promql, family, unit)]
        base = name.removesuffix("_sum")
        if f"{base}_bucket" in all_names:
            return []
        promql = f"sum({self._rate(name)}) / sum({self._rate(f'{base}_count')})"
        return [self._signal(f"{prefix}mean latency", promql, family, unit)]

    def _resources(self, name: str) -> list[SignalQuery]:
        if _CPU.search(name):
            return [self._signal("cpu", f"sum({self._rate(name)})", "saturation", "cores")]
        if _MEMORY.search(name):
            return [self._signal("memory", f"max({self._select(name)})", "saturation", "bytes")]
        if _WAITING.search(name):
            return [self._signal(_words(name), f"max({self._select(name)})", "saturation", "")]
        return []

    def _signal(self, name: str, promql: str, family: Family, unit: str) -> SignalQuery:
        harm: Harm = "either" if family == "traffic" else "up"
        return SignalQuery(self.service, name, promql, family, harm, unit)

    def _select(self, name: str, *more: Matcher) -> str:
        return selector(name, (*self.matchers, *more))

    def _rate(self, name: str, *more: Matcher) -> str:
        return f"rate({self._select(name, *more)}[{self.window}])"


def _external(name: str) -> bool:
    return family_of(name) == "external"


def _side(name: str) -> tuple[str, Family]:
    """Prefix of the signal's name and family of its errors: of our own answers, our calls, or calls to third parties."""
    if _external(name):
        return "external ", "external"
    return ("client ", "errors") if _OUTGOING.search(name) else ("", "errors")


def _words(name: str) -> str:
    return name.removesuffix("_total").replace("_", " ")
