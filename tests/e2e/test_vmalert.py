"""A real VictoriaMetrics and its vmalert, which notifies the bot itself: no Alertmanager between them."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real import PATIENCE, free_port
from tests.real.bot import Bot
from tests.real.processes import Process, binary, clean_environment, until
from tests.real.slack import Slack

TOKEN = "token-of-vmalert"
RULES = {
    "groups": [
        {
            "name": "shop",
            "interval": "1s",
            "rules": [
                {
                    "alert": "Checkout fails",
                    "expr": "shop_errors > 0.5",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $value }} of the requests fail"},
                }
            ],
        }
    ]
}


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    config = tmp_path / "tocsin.yaml"
    config.write_text(yaml.safe_dump({"sources": {"vm": {"kind": "vmalert"}}, "default_channel": "C0"}))
    with ExitStack() as ending:
        slack = Slack(tmp_path, "--no-world").start()
        ending.callback(slack.stop)
        bot = Bot(tmp_path, slack, config, environment={"TOCSIN_TOKEN_VM": TOKEN})
        ending.callback(bot.stop)
        bot.start()
        yield bot


@pytest.fixture
def victoria(tmp_path: Path, bot: Bot) -> Iterator[str]:
    """The address of VictoriaMetrics, with vmalert beside it."""
    port, port_of_vmalert = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(RULES))
    storage = [binary("victoria-metrics"), f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path / 'vm'}",
               "-search.latencyOffset=0s", "-memory.allowedBytes=64MB"]  # fmt: skip
    alerting = [binary("vmalert"), f"-rule={rules}", f"-datasource.url={url}", f"-notifier.url={bot.url}/alerts/vm",
                f"-notifier.bearerToken={TOKEN}", f"-httpListenAddr=127.0.0.1:{port_of_vmalert}", "-rule.evalDelay=0s",
                "-external.url=https://vmalert.example"]  # fmt: skip
    with ExitStack() as ending:
        for name, command, ready in (
            ("victoria", storage, f"{url}/health"),
            ("vmalert", alerting, f"http://127.0.0.1:{port_of_vmalert}/health"),
        ):
            process = Process(name, command, tmp_path, clean_environment())
            ending.callback(process.stop, 5)
            process.start()
            process.ready(ready)
        yield url


def measured(url: str, value: float) -> None:
    """One sample of now."""
    row = {
        "metric": {"__name__": "shop_errors", "service": "checkout"},
        "values": [value],
        "timestamps": [int(time.time() * 1000)],
    }
    httpx.post(f"{url}/api/v1/import", content=json.dumps(row), trust_env=False).raise_for_status()


def episode(bot: Bot, state: str) -> dict[str, Any] | None:
    rows = bot.get(f"alerts?state={state}")
    return rows[0] if rows else None


def test_an_alert_of_vmalert_fires_and_ends_as_one_episode(bot: Bot, victoria: str) -> None:
    def fires() -> dict[str, Any] | None:
        measured(victoria, 0.9)
        return episode(bot, "firing")

    def ends() -> dict[str, Any] | None:
        measured(victoria, 0.0)
        return episode(bot, "resolved")

    fired = until(fires, PATIENCE, "the alert", every=0.5)
    ended = until(ends, PATIENCE, "its end", every=0.5)

    assert (fired["name"], fired["service"], fired["severity"]) == ("Checkout fails", "checkout", "SEV2")
    assert fired["labels"]["alertgroup"] == "shop" and fired["annotations"]["summary"].startswith("0.9 ")
    assert fired["link"].startswith("https://vmalert.example")
    assert (ended["fingerprint"], ended["starts_at"]) == (fired["fingerprint"], fired["starts_at"])
    assert len(bot.get("alerts")) == 1
