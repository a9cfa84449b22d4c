"""Real Prometheus and Alertmanager, and the instrumented shop that they watch."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.real import PATIENCE, free_port
from tests.real.processes import Process, binary, clean_environment, until
from tests.real.shop_service import RATE, SERVED

SECRET = "webhook-secret-of-tests"
ALERT_TOKEN, CHANGE_TOKEN = "alert-token-of-tests", "change-token-of-tests"
HISTORY_SECONDS, HISTORY_STEP = SERVED // RATE, 5
RATIO = (
    'sum by (service) (rate(http_requests_total{{{service}code=~"5.."}}[10s]))'
    " / sum by (service) (rate(http_requests_total{{{service}}}[10s]))"
)


def error_ratio(service: str) -> str:
    """The share of a service's requests that failed in the last ten seconds; 0 where none did."""
    failed = f'sum(rate(http_requests_total{{service="{service}",code=~"5.."}}[10s]))'
    return f'({failed} or vector(0)) / sum(rate(http_requests_total{{service="{service}"}}[10s]))'


class Monitoring:
    """`with Monitoring(folder, bot_url) as monitoring:` - all three run inside, and watch since an hour."""

    def __init__(self, folder: Path, bot_url: str) -> None:
        self.folder, self.bot_url = folder, bot_url
        self.shop_port, self.prometheus_port, self.alertmanager_port = free_port(), free_port(), free_port()
        self.shop_url = f"http://127.0.0.1:{self.shop_port}"
        self.url = f"http://127.0.0.1:{self.prometheus_port}"
        self.alertmanager_url = f"http://127.0.0.1:{self.alertmanager_port}"
        self.http = httpx.Client(timeout=PATIENCE, trust_env=False)
        folder.mkdir(parents=True, exist_ok=True)
        self.processes = {
            "shop": Process("shop", self._shop(), folder, clean_environment()),
            "alertmanager": Process("alertmanager", self._alertmanager(), folder, clean_environment()),
            "prometheus": Process("prometheus", self._prometheus(), folder, clean_environment()),
        }

    def __enter__(self) -> "Monitoring":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        shop = self.processes["shop"]
        shop.start()
        shop.ready(f"{self.shop_url}/healthz")
        self._write_history(began=time.time())
        for process in self.processes.values():
            if process is not shop:
                process.start()
        self.processes["alertmanager"].ready(f"{self.alertmanager_url}/-/ready")
        self.processes["prometheus"].ready(f"{self.url}/-/ready")
        # Rules need samples of this life of the shop, or the first alert waits for them.
        until(lambda: self.value("min(count_over_time(up[10s]))") > 3, PATIENCE, "the first scrapes")

    def __exit__(self, *_: object) -> None:
        self.http.close()
        for process in self.processes.values():
            process.stop(5)

    # ------------------------------------------------------------ commands

    def _shop(self) -> list[str]:
        endpoints = ["--changes-to", f"{self.bot_url}/changes/pipeline", "--changes-token", CHANGE_TOKEN]
        place = ["--port", str(self.shop_port), "--logs", str(self.folder)]
        return [sys.executable, "-m", "tests.real.shop_service", *place, *endpoints, "--secret", SECRET]

    def _prometheus(self) -> list[str]:
        (self.folder / "rules.yml").write_text(RULES)
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {cluster: e2e}}\n"
            "rule_files: [rules.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{self.alertmanager_port}']}}]}}]}}\n"
            f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{self.shop_port}']}}]}}]\n"
        )
        return [
            binary("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
            "--log.level=warn",
        ]

    def _alertmanager(self) -> list[str]:
        hook = {
            "url": f"{self.bot_url}/alerts/prometheus",
            "send_resolved": True,
            "http_config": {"authorization": {"type": "Bearer", "credentials": ALERT_TOKEN}},
        }
        route = {"receiver": "bot", "group_by": ["alertname", "service"], "group_wait": "1s", "group_interval": "2s"}
        config = {"route": route | {"repeat_interval": "1h"}, "receivers": [{"name": "bot", "webhook_configs": [hook]}]}
        (self.folder / "alertmanager.yml").write_text(json.dumps(config))
        return [
            binary("prometheus-alertmanager"),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'am'}",
            f"--web.listen-address=127.0.0.1:{self.alertmanager_port}",
            # Empty: no gossip port.
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    # ------------------------------------------------------------ an hour of yesterday's peace

    def _write_history(self, *, began: float) -> None:
        """Real blocks of the hour before `began`, without a fault: what a Prometheus that ran all the time would hold."""
        text, blocks = self.folder / "history.txt", self.folder / "tsdb"
        text.write_text("\n".join(_history(f"127.0.0.1:{self.shop_port}", began)) + "\n# EOF\n")
        command = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(blocks)]
        subprocess.run(command, check=True, capture_output=True)

    # ------------------------------------------------------------ what tests do

    def fault(self, service: str, errors: float) -> None:
        """The fault switch: so large a share of the requests fails from now on."""
        self.http.post(f"{self.shop_url}/fault", json={"service": service, "errors": errors}).raise_for_status()

    def deploy(self, service: str, version: str, errors: float = 0.0) -> Any:
        body = {"service": service, "version": version, "errors": errors}
        return self.http.post(f"{self.shop_url}/deploy", json=body).raise_for_status().json()

    def shop(self) -> Any:
        """What the shop knows of itself: executed jobs, changes, versions."""
        return self.http.get(f"{self.shop_url}/state").raise_for_status().json()

    def value(self, promql: str, at: float | None = None) -> float:
        """One number; NaN is 0, and so is nothing."""
        asked = {"query": promql, **({"time": str(at)} if at else {})}
        found = self.http.get(f"{self.url}/api/v1/query", params=asked).json()["data"]["result"]
        value = float(found[0]["value"][1]) if found else 0.0
        return value if value == value else 0.0

    def range(self, promql: str, start: float, end: float, step: float) -> list[tuple[float, float]]:
        """(moment, value) of the first series."""
        asked = {"query": promql, "start": str(start), "end": str(end), "step": str(step)}
        found = self.http.get(f"{self.url}/api/v1/query_range", params=asked).json()["data"]["result"]
        return [(float(t), float(v)) for t, v in found[0]["values"]] if found else []


RULES = f"""
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: HighErrorRate
        expr: {RATIO.format(service="")} > 0.05
        for: 8s
        labels: {{severity: critical}}
        annotations:
          summary: '{{{{ $labels.service }}}} error ratio is {{{{ $value | humanizePercentage }}}}'
          runbook_url: https://runbooks.example.com/HighErrorRate
      - alert: ErrorBudgetBurn
        expr: {RATIO.format(service="")} > 0.1
        for: 9s
        labels: {{severity: warning}}
        annotations: {{summary: '{{{{ $labels.service }}}} burns its error budget'}}
      - alert: ShopDown
        expr: up == 0
        for: 5s
        labels: {{severity: critical}}
        annotations: {{summary: the shop is not scraped}}
"""


def _history(instance: str, end: float) -> Iterator[str]:
    """OpenMetrics text of both services without errors, up to where the shop's counters began."""
    yield "# TYPE http_requests counter"
    for service in ("checkout", "payments"):
        labels = f'instance="{instance}",job="shop",service="{service}",code="200",version="1.4.0"'
        for seconds in range(0, HISTORY_SECONDS, HISTORY_STEP):
            yield f"http_requests_total{{{labels}}} {RATE * seconds} {end - HISTORY_SECONDS + seconds:.3f}"
