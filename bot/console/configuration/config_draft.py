"""`tocsin init --prometheus URL`: drafts the catalogue from Prometheus' labels and rules."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import httpx
import yaml

from bot.core.config.fields import parse_duration
from bot.core.errors import TocsinError
from bot.core.text.link_prefixes import owner_prefix

LABELS = ("service", "app", "app_kubernetes_io_name", "job")
"""Labels that usually name a service, the first present wins."""
_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d+)?(?:[/?#]|$)", re.ASCII)
"""A host that a template fills in (`{{ ... }}`) is none."""
INFRASTRUCTURE = re.compile(
    r"^(prometheus|alertmanager|node-exporter|node|kube-|kubelet|apiserver|grafana|pushgateway|blackbox)"
)


def draft(url: str, *, token: str = "") -> str:
    """tocsin.yaml as a draft for `url`, read with a bearer token if there is one. Raises TocsinError if it does not answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url.rstrip("/"), timeout=10, headers=headers) as client:
        label, services = _services(client)
        window = _window(client)
        signals = {name: _signals(client, label, name, window) for name in services}
        groups = _ask(client, "/api/v1/rules", type="alert")["groups"]
    rules = [rule for group in groups for rule in group.get("rules", ())]
    hosts = _hosts(rules)
    content: dict[str, Any] = {
        "sources": {"alertmanager": {"kind": "alertmanager"}, "deploys": {"kind": "generic", "takes": ["changes"]}},
        "people": {},
        "services": {name: {"match": {label: name}, "signals": signals[name]} for name in services},
        "default_channel": "",
        "severities": _severities(rules),
        "prometheus": {"url": url.rstrip("/")},
        **({"links": {"hosts": hosts}} if hosts else {}),
    }
    head = (
        f"# Drafted from {len(services)} services of label `{label}` and the rules' severities.\n"
        "# Next: set default_channel, people, owners, on_call, depends_on and channels; then `tocsin config check`.\n"
    )
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


class _Rule(TypedDict, total=False):
    """The parts of an alerting rule that a draft uses."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def _ask(client: httpx.Client, path: str, **parameters: str) -> Any:  # Any: the JSON of an answer
    try:
        answer = client.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()["data"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise TocsinError(f"Prometheus at {client.base_url} did not answer {path}: {error}") from None


def _services(client: httpx.Client) -> tuple[str, list[str]]:
    for label in LABELS:
        names = [n for n in _ask(client, f"/api/v1/label/{label}/values") if n and not INFRASTRUCTURE.match(n)]
        if names:
            return label, sorted(names)[:200]
    return "job", []


def _window(client: httpx.Client) -> str:
    """A range that holds at least four samples of every target, so that `rate` has no gaps; at least a minute."""
    try:
        targets = _ask(client, "/api/v1/targets", state="active").get("activeTargets", ())
        seconds = [parse_duration(target["scrapeInterval"]).total_seconds() for target in targets]
    except (TocsinError, ValueError, KeyError):
        return "2m"  # Mimir and the like answer queries but know no targets; an interval may be in milliseconds
    widest = max([60.0, *(4 * interval for interval in seconds)])
    return f"{int(widest)}s" if widest % 60 else f"{int(widest // 60)}m"


def _signals(client: httpx.Client, label: str, service: str, window: str) -> dict[str, object]:
    """Errors, traffic and latency from metric names that follow the common client libraries."""
    names = set(_ask(client, "/api/v1/label/__name__/values", **{"match[]": f"{{{label}={_quoted(service)}}}"}))
    selector = f"{label}={_quoted(service)}"
    signals: dict[str, Any] = {}
    counters = (n for n in names if re.search(r"requests?_total$", n))
    for counter in sorted(counters, key=lambda n: (_calls_others(n), n)):
        code = next((c for c in ("code", "status", "status_code") if c in _labels(client, counter, selector)), "")
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


def _labels(client: httpx.Client, metric: str, selector: str) -> Iterable[str]:
    return _ask(client, "/api/v1/labels", **{"match[]": f"{metric}{{{selector}}}"})  # type: ignore[no-any-return]


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _hosts(rules: Iterable[_Rule]) -> list[str]:
    """Where the rules' annotations lead (runbooks, dashboards): rules are the team's own, so these may be links."""
    addresses = [str(value) for rule in rules for value in rule.get("annotations", {}).values()]
    return sorted({owner_prefix(address) for address in addresses if _ADDRESS.match(address)} - {""})


def _severities(rules: Iterable[_Rule]) -> dict[str, str]:
    usual = {"critical": "SEV2", "page": "SEV2", "error": "SEV3", "warning": "SEV3", "none": "NONE", "info": "NONE"}
    words = {rule.get("labels", {}).get("severity", "").lower() for rule in rules}
    return {**usual, **{word: "SEV3" for word in sorted(words - set(usual)) if word}}
