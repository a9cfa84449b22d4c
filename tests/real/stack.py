"""Everything that one incident needs, as real processes: shop, Prometheus, Alertmanager, Slack's stand-in, bot, model.

with Stack(folder) as stack:            # SQLite, Socket Mode, no model
    stack.monitoring.deploy("checkout", "1.5.0", errors=0.4)
    stack.slack.wait("card:")
"""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.real import free_port
from tests.real.bot import Bot
from tests.real.llama_server import LlamaServer
from tests.real.monitoring import ALERT_TOKEN, CHANGE_TOKEN, SECRET, Monitoring, error_ratio
from tests.real.processes import Process, clean_environment
from tests.real.slack import Slack

RUNBOOK = """# HighErrorRate

1. Look which version carries the errors.
2. If a deploy came shortly before, roll it back.
"""


class Model:
    """The scripted OpenAI-compatible server; `turns` as in tests.real.scripted_model."""

    def __init__(self, folder: Path, turns: list[dict[str, Any]], *, by_history: bool = False) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.real.scripted_model", "--port", str(self.port), "--turns", json.dumps(turns)]
        command += ["--by-history"] if by_history else []
        self.process = Process("model", command, folder, clean_environment())

    def __enter__(self) -> "Model":
        self.process.start()
        self.process.ready(f"{self.url}/v1/models")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop(5)

    def script(self, *turns: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/_script", json=list(turns), trust_env=False).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        return list(httpx.get(f"{self.url}/_requests", trust_env=False).json())


class Stack:
    """All of it; inside `with` it runs and is ready. `turns`: with a model that plays them."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str = "",
        mode: str = "socket",
        turns: list[dict[str, Any]] | None = None,
        command: list[str] | None = None,
        model: LlamaServer | None = None,
        budget: Mapping[str, float] | None = None,
    ) -> None:
        """`model`: a real one that runs already. `budget`: limits in tocsin.yaml."""
        self.folder = folder
        self.database_url, self.mode, self.turns, self.command = database_url, mode, turns, command
        self.real_model, self.budget = model, dict(budget or {})
        self._ending = contextlib.ExitStack()

    def __enter__(self) -> "Stack":
        try:
            self._start()
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def _start(self) -> None:
        port = free_port()
        self.slack = Slack(self.folder, "--no-world").start()
        self._ending.callback(self.slack.stop)
        self.slack.post("channels", {"id": "C1", "name": "checkout"})
        self.monitoring = self._ending.enter_context(Monitoring(self.folder, f"http://127.0.0.1:{port}"))
        self.model = None if self.turns is None else self._ending.enter_context(Model(self.folder, self.turns))
        self.bot = Bot(
            self.folder,
            self.slack,
            write_config(self.folder, self.monitoring, self.budget),
            port=port,
            database_url=self.database_url,
            mode=self.mode,
            model_url=model.url if (model := self.real_model or self.model) else "",
            environment=secrets_of_sources(),
            **({"command": self.command} if self.command else {}),  # type: ignore[arg-type]
        )
        self._ending.callback(self.bot.stop)
        self.ready_after = self.bot.start()


def secrets_of_sources() -> dict[str, str]:
    """What the bot must know to take alerts and changes, and to sign its calls."""
    return {
        "TOCSIN_TOKEN_PROMETHEUS": ALERT_TOKEN,
        "TOCSIN_TOKEN_PIPELINE": CHANGE_TOKEN,
        "TOCSIN_WEBHOOK_SECRET": SECRET,
    }


def write_config(folder: Path, monitoring: Monitoring, budget: Mapping[str, float] | None = None) -> Path:
    """tocsin.yaml and one runbook, as the shop's team would have them."""
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "runbooks" / "high-error-rate.md").write_text(RUNBOOK)
    path = folder / "tocsin.yaml"
    content = {**configuration(monitoring), **({"budget": dict(budget)} if budget else {})}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def configuration(monitoring: Monitoring) -> dict[str, Any]:
    """The content of tocsin.yaml."""
    people = {"alice": "U1", "bob": "U2", "carol": "U3", "dave": "U5"}
    return {
        "sources": {"prometheus": {"kind": "alertmanager"}, "pipeline": {"kind": "generic", "takes": ["changes"]}},
        "people": {name: {"slack": user, "email": f"{name}@example.com"} for name, user in people.items()},
        "services": {
            "checkout": _service("checkout", channel="C1", depends_on=["payments"]),
            "payments": _service("payments"),
        },
        "default_channel": "C0",
        "approvers": {"deputies": ["bob"], "admins": ["dave"]},
        "actions": {
            "rollback": {
                "kind": "run_webhook",
                "title": "Roll back {service}",
                "when": "A deploy of this service is the cause.",
                "helps": ["change"],
                "change_kinds": ["deploy"],
                "url": f"{monitoring.shop_url}/jobs/rollback",
                "body": {"service": "{service}", "change": "{change_id}"},
                "idempotent": True,
                "tier": 2,
                "verify": {"signal": "errors", "below": 0.05, "within": "60s"},
                "services": ["checkout"],
                "allow_private": True,
            }
        },
        "runbooks": "./runbooks",
        "prometheus": {"url": monitoring.url},
        "logs": {"files": {name: str(monitoring.folder / f"{name}.log") for name in ("checkout", "payments")}},
        "alertmanager": {"url": monitoring.alertmanager_url},
    }


def _service(name: str, **more: Any) -> dict[str, Any]:
    return {
        "owners": ["dave"],
        "on_call": {"rotation": ["alice"]},
        "match": {"service": name},
        "signals": {
            "errors": {"promql": error_ratio(name), "unit": "ratio", "bad_above": 0.02},
            "traffic": {"promql": f'sum(rate(http_requests_total{{service="{name}"}}[10s]))', "unit": "req/s"},
        },
        **more,
    }
