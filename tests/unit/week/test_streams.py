"""Streams become what an Alertmanager sends: each firing once, one end, the same alert as one episode while it lasts."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.store.db.clock import SteadyClock
from tests.unit.builders import NOW
from tests.week.faster import FastClock
from tests.week.streams import LASTS, storm


def alert(id: int, seconds: float, name: str = "errors", kind: str = "trace") -> dict[str, Any]:
    where = {"caller": "web"} if kind == "trace" else {"host": "node-1"}
    return {
        "id": id,
        "ts": 1_700_000_000 + seconds,
        "kind": kind,
        "component": "cart",
        "name": name,
        "direction": "up",
        **where,
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    alerts = [alert(0, 0), alert(1, 60, "cpu", "metric"), alert(2, 300), alert(3, 5_000)]
    (tmp_path / "alert_storm").mkdir()
    (tmp_path / "rca_alerts" / "shop").mkdir(parents=True)
    lines = "\n".join(map(json.dumps, alerts)).encode()
    (tmp_path / "alert_storm" / "shop.one_clock.alerts.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "alert_storm" / "shop.one_clock.labels.json").write_text('{"incident_of_alert": ["a", "a", "a", "b"]}')
    edges = [
        {"source": "cart", "target": "db", "label": "control_flow"},
        {"source": "cart-0", "target": "cart", "label": "instance_of"},
    ]
    (tmp_path / "rca_alerts" / "shop" / "topology.json").write_text(json.dumps({"edges": edges}))
    return tmp_path


def test_an_alert_that_comes_again_while_it_fires_is_one_episode_and_later_another(data: Path) -> None:
    stream = storm(data, "shop", NOW, timedelta(hours=3))
    errors = [one for one in stream.deliveries if one.alert["labels"]["alertname"] == "errors up"]

    assert [(one.alert["status"], (one.at - NOW).total_seconds()) for one in errors] == [
        ("firing", 0), ("firing", 300), ("resolved", 900), ("firing", 5_000), ("resolved", 5_600),
    ]  # fmt: skip
    assert len({one.identity for one in errors}) == 2 and timedelta(minutes=10) == LASTS


def test_a_stream_knows_its_incidents_its_services_and_where_it_is_cut_off(data: Path) -> None:
    whole, cut = storm(data, "shop", NOW, timedelta(hours=3)), storm(data, "shop", NOW, timedelta(minutes=10))

    assert (whole.incidents, cut.incidents, len({one.identity for one in cut.deliveries})) == (2, 1, 2)
    assert whole.depends_on == {"cart": ["db"], "db": [], "cart-0": ["db"]}
    assert {one.alert["labels"]["severity"] for one in whole.deliveries} == {"critical", "warning"}


def test_a_fast_clock_agrees_with_the_other_at_its_beginning_and_runs_ahead() -> None:
    began = datetime.now(NOW.tzinfo).timestamp() - 10

    ahead = FastClock(began, 60)().timestamp() - began
    assert 600 <= ahead < 1_800


def test_the_bot_follows_a_fast_clock_as_time_that_passes_and_not_as_a_jump() -> None:
    fast = FastClock(datetime.now(NOW.tzinfo).timestamp() - 10, 60)
    steady = SteadyClock(fast, fast.elapsed())

    assert abs(steady() - fast()) < timedelta(minutes=1)
