"""Two real Alertmanagers that know nothing of each other and send the same alerts: one group, one alert."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real import PATIENCE, free_port
from tests.real.bot import Bot
from tests.real.processes import Process, binary, clean_environment, until
from tests.real.slack import Slack

TOKENS = {"am-a": "token-of-a", "am-b": "token-of-b"}
CONFIG = {
    "sources": {"am-a": {"kind": "alertmanager"}, "am-b": {"kind": "alertmanager", "replica_of": "am-a"}},
    "default_channel": "C0",
}


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    config = tmp_path / "tocsin.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    environment = {f"TOCSIN_TOKEN_{name.upper().replace('-', '_')}": token for name, token in TOKENS.items()}
    with ExitStack() as ending:
        slack = Slack(tmp_path, "--no-world").start()
        ending.callback(slack.stop)
        bot = Bot(tmp_path, slack, config, environment=environment)
        ending.callback(bot.stop)
        bot.start()
        yield bot


@pytest.fixture
def alertmanagers(tmp_path: Path, bot: Bot) -> Iterator[dict[str, str]]:
    """The address of each by the name of its source."""
    urls: dict[str, str] = {}
    with ExitStack() as ending:
        for name, token in TOKENS.items():
            url, process = alertmanager(tmp_path / name, f"{bot.url}/alerts/{name}", token)
            ending.callback(process.stop, 5)
            process.start()
            process.ready(f"{url}/-/ready")
            urls[name] = url
        yield urls


@pytest.fixture
def starts() -> dict[str, datetime]:
    """When the alert started, by source: each of their Prometheus servers evaluates its rules at moments of its own.

    Shortly before the test: an alert older than its source is that source's backlog, and opens no group.
    """
    served_by_a = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=40)
    return {"am-a": served_by_a, "am-b": served_by_a + timedelta(seconds=15)}


def alertmanager(folder: Path, webhook: str, token: str) -> tuple[str, Process]:
    folder.mkdir()
    receiver = {"url": webhook, "send_resolved": True, "http_config": {"authorization": {"credentials": token}}}
    route = {"receiver": "tocsin", "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1s"}
    config = {"route": route, "receivers": [{"name": "tocsin", "webhook_configs": [receiver]}]}
    (folder / "am.yml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{free_port()}"
    command = [binary("prometheus-alertmanager"), f"--config.file={folder / 'am.yml'}", f"--storage.path={folder}",
               f"--web.listen-address={url.removeprefix('http://')}", "--cluster.listen-address="]  # fmt: skip
    return url, Process(folder.name, command, folder, clean_environment())


def fires(url: str, start: datetime, *, ends_in: timedelta = timedelta(hours=1)) -> None:
    """What Prometheus posts while an alert fires, or once it ended."""
    alert = {
        "labels": {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"},
        "startsAt": start.isoformat(),
        "endsAt": (datetime.now(UTC) + ends_in).isoformat(),
    }
    httpx.post(f"{url}/api/v2/alerts", json=[alert], timeout=PATIENCE, trust_env=False).raise_for_status()


def notified(url: str) -> int:
    """How many notifications an Alertmanager has sent."""
    lines = httpx.get(f"{url}/metrics", trust_env=False).text.split("\n")
    counts = [
        line for line in lines if line.startswith("alertmanager_notifications_total{") and 'integration="webhook"' in line
    ]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in counts)


def groups(bot: Bot) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = bot.get("groups")
    return answer


def test_two_alertmanagers_that_send_the_same_alert_are_one_group_and_one_alert(
    bot: Bot, alertmanagers: dict[str, str], starts: dict[str, datetime]
) -> None:
    for name, url in alertmanagers.items():
        fires(url, starts[name])
    until(lambda: sum(group["repeats"] for group in groups(bot)) >= 4, PATIENCE, "repeats of both")
    assert [(group["alerts"], group["firing"], group["state"]) for group in groups(bot)] == [(1, 1, "FIRING")]

    fires(alertmanagers["am-a"], starts["am-a"], ends_in=timedelta(seconds=-1))
    until(lambda: groups(bot)[0]["state"] == "MONITORING", PATIENCE, "the resolution by one of them")
    # The other goes on repeating it, with a start and an end of its own.
    repeated = notified(alertmanagers["am-b"])
    until(lambda: notified(alertmanagers["am-b"]) > repeated + 1, PATIENCE, "two more of the other's repeats")

    assert [(group["alerts"], group["reopened"], group["state"]) for group in groups(bot)] == [(1, 0, "MONITORING")]
    assert len(bot.get("alerts")) == 1
