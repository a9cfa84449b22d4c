"""`tocsin init --prometheus URL`: drafts the catalogue from Prometheus' labels and rules."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx
import yaml

from bot.core.config import Config
from bot.core.config.fields import parse_duration
from bot.core.config.systems import PrometheusConfig
from bot.core.errors import QueryFailed
from bot.core.infrastructure.exporters import is_exporter
from bot.core.systems import AlertRule
from bot.core.text.link_prefixes import owner_prefix
from bot.core.text.untrusted import counted, one_line
from bot.monitoring.metrics.prometheus import PrometheusMetrics

LABELS = ("service", "app", "app_kubernetes_io_name", "job")
"""Labels that usually name a service, the first present wins."""
_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d+)?(?:[/?#]|$)", re.ASCII)
"""A host that a template fills in (`{{ ... }}`) is none."""
INFRASTRUCTURE = re.compile(r"(?:prometheus|alertmanager|grafana|pushgateway|apiserver)(?![a-z0-9]).*|kube-.*")
_USUAL = ("critical", "page", "error", "warning", "none", "info")
"""Words for a severity that stand in a draft though no rule has them yet."""


class Draft(NamedTuple):
    """A tocsin.yaml, and in a sentence what it was drafted from."""

    text: str
    summary: str


async def draft(url: str, *, token: str = "") -> Draft:
    """tocsin.yaml for the Prometheus at `url`, read with a bearer token if there is one. Raises QueryFailed."""
    config = PrometheusConfig(url=url.rstrip("/"))
    async with httpx.AsyncClient(timeout=10) as client:
        metrics = PrometheusMetrics(config, client, token=token)
        label, services, exporters = await _services(metrics)
        window = await _window(metrics)
        signals = {name: await _signals(metrics, label, name, window) for name in services}
        rules, remark = await _rules(metrics)
    hosts = _hosts(rules)
    content: dict[str, Any] = {
        "sources": {"alertmanager": {"kind": "alertmanager"}, "deploys": {"kind": "generic", "takes": ["changes"]}},
        "people": {},
        "services": {name: {"match": {label: name}, "signals": signals[name]} for name in services},
        "default_channel": "",
        "severities": _severities(rules),
        "prometheus": {"url": config.url},
        **({"links": {"hosts": hosts}} if hosts else {}),
    }
    summary = f"{_origin(label, services)}; {remark or 'severities of ' + counted(len(rules), 'rule')}."
    head = (
        f"# Drafted: {summary}\n"
        "# Next: set default_channel, people, owners, on_call, depends_on and channels; then `tocsin config check`.\n"
    )
    if exporters:
        head += (
            f"# Left out, since they measure others: {one_line(', '.join(exporters), 400)}. Add what is a service of yours.\n"
        )
    return Draft(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), summary)


def _origin(label: str, services: list[str]) -> str:
    if services:
        return f"{counted(len(services), 'service')} of the label `{label}`"
    return f"no service, since no label ({', '.join(LABELS)}) names one: alerts count by their own labels until you add some"


async def _services(metrics: PrometheusMetrics) -> tuple[str, list[str], list[str]]:
    """The label that names services, these, and the exporters that it names beside them."""
    for label in LABELS:
        names = sorted(n for n in await metrics.label_values(label) if n and not INFRASTRUCTURE.fullmatch(n))
        if services := [name for name in names if not is_exporter(name)]:
            return label, services[:200], [name for name in names if is_exporter(name)]
    return "job", [], []


async def _rules(metrics: PrometheusMetrics) -> tuple[list[AlertRule], str]:
    """The rules; none, and why, from a store that evaluates none itself (Thanos, Mimir)."""
    try:
        return await metrics.rules(), ""
    except QueryFailed as error:
        return [], f"its rules could not be read ({error})"


async def _window(metrics: PrometheusMetrics) -> str:
    """A range that holds at least four samples of every target, so that `rate` has no gaps; at least a minute."""
    try:
        seconds = [parse_duration(interval).total_seconds() for interval in await metrics.scrape_intervals()]
    except (QueryFailed, ValueError):
        return "2m"  # Mimir and the like answer queries but know no targets; an interval may be in milliseconds
    widest = max([60.0, *(4 * interval for interval in seconds)])
    return f"{int(widest)}s" if widest % 60 else f"{int(widest // 60)}m"


async def _signals(metrics: PrometheusMetrics, label: str, service: str, window: str) -> dict[str, object]:
    """Errors, traffic and latency from metric names that follow the common client libraries."""
    selector = f"{label}={_quoted(service)}"
    names = set(await metrics.label_values("__name__", f"{{{selector}}}"))
    signals: dict[str, Any] = {}
    counters = (n for n in names if re.search(r"requests?_total$", n))
    for counter in sorted(counters, key=lambda n: (_calls_others(n), n)):
        labels = await metrics.label_names(f"{counter}{{{selector}}}")
        code = next((c for c in ("code", "status", "status_code") if c in labels), "")
        if code:
            every = f"sum(rate({counter}{{{selector}}}[{window}]))"
            # A service that never failed has no series of 5xx at all: that is 0, not "unknown".
            bad = f'(sum(rate({counter}{{{selector},{code}=~"5.."}}[{window}])) or vector(0))'
            signals["errors"] = {"promql": f"{bad} / {every}", "unit": "ratio", "bad_above": 0.02}
            signals["traffic"] = {"promql": every, "unit": "requests/s"}
            break
    if histogram := serving_time(names):
        quantile = f"histogram_quantile(0.95, sum by (le) (rate({histogram}{{{selector}}}[{window}])))"
        signals["latency"] = {"promql": quantile, "unit": "s", "bad_above": 1.0}
    return signals


_SERVING = re.compile(r"request|response|http|grpc|rpc|handling|latency")
_RUNTIME = re.compile(r"^(go|process|python|jvm|nodejs|dotnet|ruby)_|_gc_")
"""Pauses of the language's own machinery are no time to answer."""


def serving_time(names: Iterable[str]) -> str:
    """The histogram (in seconds) that most likely holds the time to answer a request; "" if there is none."""
    fitting = [n for n in names if n.endswith("_seconds_bucket") and _SERVING.search(n) and not _RUNTIME.search(n)]
    return min(fitting, key=lambda n: ("request" not in n, _calls_others(n), n), default="")


def _calls_others(name: str) -> bool:
    """Whether a metric measures how others answered this service, not how it answers."""
    return bool(re.search(r"client|external|outgoing|outbound|upstream|egress", name))


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _hosts(rules: Iterable[AlertRule]) -> list[str]:
    """Where the rules' annotations lead (runbooks, dashboards): rules are the team's own, so these may be links."""
    addresses = [str(value) for rule in rules for value in rule["annotations"].values()]
    return sorted({owner_prefix(address) for address in addresses if _ADDRESS.match(address)} - {""})


def _severities(rules: Iterable[AlertRule]) -> dict[str, str]:
    """The usual words, and those of the rules that no usual scale has; one that a template fills in is none."""
    words = {str(rule["labels"].get("severity", "")).strip().lower() for rule in rules}
    usual, unusual = Config(), sorted(word for word in words if word and "{" not in word)
    return {word: usual.severity_of(word).value for word in dict.fromkeys((*_USUAL, *unusual))}
