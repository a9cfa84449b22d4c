"""What a team that runs this shop would have written: tocsin.yaml and a folder of runbooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.world.shop import NAMESPACE, ServiceSpec, Shop

PEOPLE = {"alice": "U1", "bob": "U2", "carol": "U3", "guest": "U4", "dave": "U5"}
NAMES = {
    "alice": "Alice (on call)",
    "bob": "Bob (incident commander)",
    "carol": "Carol (developer)",
    "guest": "Guest",
    "dave": "Dave (service owner)",
}
EMAILS = {"guest": "guest@example.net"}
_HEADER = "# The shop's incident bot. Addresses are those of the local sandbox.\n"


def signals_of(spec: ServiceSpec) -> dict[str, dict[str, Any]]:
    """How this team sees whether a service is well; short windows, since the shop is scraped every 2 s."""
    selector = f'service="{spec.name}"'
    return _signals_of_requests(selector) | _signals_of_pods(selector) | _signals_of_dependencies(spec, selector)


def _signals_of_requests(selector: str) -> dict[str, dict[str, Any]]:
    requests, failed = (
        f"rate(http_requests_total{{{selector}}}[15s])",
        f'rate(http_requests_total{{{selector},code=~"5.."}}[15s])',
    )
    bucket = "rate(http_request_duration_seconds_bucket"
    slow = f'1 - sum({bucket}{{{selector},le="1"}}[15s])) / sum(rate(http_request_duration_seconds_count{{{selector}}}[15s]))'
    return {
        "errors": {"promql": f"sum({failed}) / sum({requests})", "unit": "ratio", "bad_above": 0.02},
        "latency": {
            "promql": f"histogram_quantile(0.95, sum by (le) ({bucket}{{{selector}}}[15s])))",
            "unit": "seconds",
            "bad_above": 0.6,
        },
        # One figure for "customers suffer": whatever was broken, a remediation must bring it down. A share, since a request
        # can fail and be slow, and rates of two counters differ by a trace.
        "bad_requests": {
            "promql": f"clamp(sum({failed}) / sum({requests}) + ({slow}), 0, 1)",
            "unit": "ratio",
            "bad_above": 0.05,
        },
        "traffic": {"promql": f"sum({requests})", "unit": "req/s"},
    }


def _signals_of_pods(selector: str) -> dict[str, dict[str, Any]]:
    return {
        "memory": {
            "promql": f"max(process_resident_memory_bytes{{{selector}}} / container_spec_memory_limit_bytes{{{selector}}})",
            "unit": "ratio",
            "bad_above": 0.9,
        },
        "cpu": {
            "promql": f"avg(rate(container_cpu_usage_seconds_total{{{selector}}}[30s]))",
            "unit": "cores",
            "bad_above": 0.9,
        },
        "restarts": {
            "promql": f"sum(increase(kube_pod_container_status_restarts_total{{{selector}}}[1m]))",
            "unit": "restarts",
            "bad_above": 0.5,
        },
    }


def _signals_of_dependencies(spec: ServiceSpec, selector: str) -> dict[str, dict[str, Any]]:
    signals: dict[str, dict[str, Any]] = {}
    if spec.pool:
        signals["connections"] = {
            "promql": f"sum(db_connections_in_use{{{selector}}}) / sum(db_connections_max{{{selector}}})",
            "unit": "ratio",
            "bad_above": 0.9,
        }
    if spec.queue:
        signals["queue"] = {"promql": f"sum(queue_depth{{{selector}}})", "unit": "jobs", "bad_above": 300.0}
    if spec.provider:
        calls = f"external_requests_total{{{selector}"
        signals["provider_errors"] = {
            "promql": f'sum(rate({calls},code=~"5.."}}[15s])) / sum(rate({calls}}}[15s]))',
            "unit": "ratio",
            "bad_above": 0.1,
        }
    return signals


def pages() -> dict[str, str]:
    """The shop's runbooks by the alert they are for, in Markdown."""
    folder = files("bot.sandbox.world").joinpath("runbooks").iterdir()
    return {page.name.removesuffix(".md"): page.read_text("utf-8") for page in folder if page.name.endswith(".md")}


@dataclass(frozen=True)
class Configuration:
    """Everything that `World.write_configuration` writes; nothing in it depends on the seed."""

    shop: Shop
    base_url: str
    default_channel: str
    channels: Mapping[str, str]
    people: Mapping[str, str]

    def write(self, directory: Path, now: float) -> None:
        """Write tocsin.yaml and runbooks/*.md into a directory, which is made if needed."""
        (directory / "runbooks").mkdir(parents=True, exist_ok=True)
        for name, page in pages().items():
            (directory / "runbooks" / f"{name}.md").write_text(page, "utf-8")
        text = yaml.safe_dump(self.as_dict(now), sort_keys=False, allow_unicode=True, width=140)
        (directory / "tocsin.yaml").write_text(_HEADER + text, "utf-8")

    def as_dict(self, now: float) -> dict[str, Any]:
        """The content of tocsin.yaml."""
        ids = PEOPLE | dict(self.people)
        return {
            "sources": {"shop": {"kind": "alertmanager"}, "pipeline": {"kind": "generic", "takes": ["changes"]}},
            "people": {
                key: {"slack": slack, "email": EMAILS.get(key, f"{key}@example.com"), "name": NAMES.get(key, key)}
                for key, slack in ids.items()
            },
            "services": {name: self._service(spec, now) for name, spec in self.shop.services.items()},
            "default_channel": self.default_channel,
            "severities": {"critical": "SEV2", "warning": "SEV3", "info": "NONE", "none": "NONE"},
            "triage_from": "SEV2",
            "incident_from": "SEV2",
            "heartbeats": ["Watchdog"],
            "heartbeat_every": "1m",
            "approvers": {"deputies": ["bob"], "admins": ["dave"]},
            "break_glass": ["dave"],
            "actions": self._actions(),
            "plans": {
                "back-and-restart": {
                    "title": "Roll back {service} and restart it",
                    "when": "A bad version left something behind in its pods. Only people propose it.",
                    "steps": [{"action": "rollback"}, {"action": "restart"}],
                }
            },
            "runbooks": "./runbooks",
            "prometheus": {"url": f"{self.base_url}/world/prometheus"},
            "alertmanager": {"url": f"{self.base_url}/world/alertmanager"},
            "logs": {"loki": f"{self.base_url}/world/loki", "label": "service"},
        }

    def _service(self, spec: ServiceSpec, now: float) -> dict[str, Any]:
        # The rotation begins today: the first named is on call whenever the shop is started, and over any midnight after it.
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        entry: dict[str, Any] = {
            "owners": ["dave"],
            "on_call": {"rotation": ["alice", "bob"], "every": "1w", "starts": day.strftime("%Y-%m-%dT%H:%M:%SZ")},
            "depends_on": [call.callee for call in spec.calls],
            "match": {"service": spec.name},
            "deployment": {"namespace": NAMESPACE, "name": spec.name},
            "signals": signals_of(spec),
        }
        if channel := self.channels.get(spec.name):
            entry["channel"] = channel
        return entry

    def _actions(self) -> dict[str, Any]:
        verify = {"signal": "bad_requests", "below": 0.05, "within": "2m"}
        change = {"service": "{service}", "change": "{change_id}"}
        return {
            "rollback": self._job(
                "rollback", "Roll back {service}", change, 2,
                when="A deploy or config edit of this service is the cause. Does not help when stored rows were damaged.",
                helps=["change"], change_kinds=["deploy", "config"], undo="rollforward", verify=verify,
            ),
            "rollforward": self._job(
                "rollforward", "Roll forward {service}", {"service": "{service}"}, 2,
                when="Only to undo a rollback.", undo="rollback", verify=verify,
            ),
            "restart": self._job(
                "restart", "Restart all pods of {service}, one after the other", {"service": "{service}"}, 2,
                when="Pods leak memory or hold stale connections. Does not help when the code or a dependency is at fault.",
                helps=["resource"], verify=verify,
            ),
            "flag_off": self._job(
                "flag", "Switch the newest flag of {service} off", {**change, "state": "off"}, 2,
                when="A feature flag of this service was switched on and is the cause.",
                helps=["change"], change_kinds=["flag"], undo="flag_on", verify=verify,
            ),
            "flag_on": self._job(
                "flag", "Switch the flag of {service} on again", {"service": "{service}", "state": "on"}, 2,
                when="Only to undo flag_off.", undo="flag_off", verify=verify,
            ),
            "silence": {
                "kind": "silence_alert",
                "title": "Silence the alerts of {service}",
                "when": "Somebody works on it and the repeats disturb.",
            },
        }  # fmt: skip

    def _job(self, job: str, title: str, body: dict[str, str], tier: int, **more: Any) -> dict[str, Any]:
        return {
            "kind": "run_webhook",
            "title": title,
            "url": f"{self.base_url}/world/jobs/{job}",
            "body": body,
            "idempotent": True,
            "tier": tier,
            # The sandbox listens on this machine.
            "allow_private": True,
            **more,
        }
