"""Tocsin's own alert rules and dashboard: Prometheus takes them, and every metric in them is one that /metrics shows."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot.web.metrics
from tests.real import missing
from tests.unit.web.serving import serving

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
INTERVAL = "$__rate_interval"
"""Grafana's own variable: a window that fits the scrapes."""
PROMETHEUS_OWN = {"up"}
_WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset"}


def panel_queries() -> dict[str, str]:
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace(INTERVAL, "5m")
        for panel in PANELS
        for target in panel["targets"]
    }


QUERIES = {**{rule["alert"]: rule["expr"] for rule in RULES}, **panel_queries()}


def metrics_in(query: str) -> set[str]:
    """The names of the series that a query reads: what is no function, label, word or window."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring)\s*\([^)]*\)", " ", query)
    return {name for name in re.findall(r"\b[a-z_:][a-z0-9_:]*\b(?!\s*\()", bare) if name not in _WORDS}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    if (path := shutil.which("promtool")) is None:
        missing("promtool, of Prometheus")
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


def test_the_names_in_a_query_are_those_of_its_series() -> None:
    assert metrics_in('sum by (a, b) (rate(bot_x_total{c="d_e"}[5m])) > bool 9e5 and up') == {"bot_x_total", "up"}


@pytest.mark.parametrize("place", QUERIES)
async def test_every_metric_of_a_rule_or_panel_is_one_that_the_product_shows(place: str, tmp_path: Path) -> None:
    assert bot.web.metrics.MESSAGES is not None
    async with serving(tmp_path) as (client, _):
        text = (await client.get("/metrics")).text
    shown = {name for name, _ in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)} | PROMETHEUS_OWN

    assert metrics_in(QUERIES[place]) and metrics_in(QUERIES[place]) <= shown


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    checked = promtool("check", "rules", "--lint-fatal", str(FOLDER / "rules.yml"))
    tested = promtool("test", "rules", str(FOLDER / "rules.test.yml"))

    assert (checked.returncode, tested.returncode) == (0, 0), checked.stderr + checked.stdout + tested.stderr + tested.stdout


def test_prometheus_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(panel_queries().values())]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    checked = promtool("check", "rules", str(tmp_path / "panels.yml"))

    assert checked.returncode == 0, checked.stderr


def test_no_two_panels_cover_each_other_or_share_a_number() -> None:
    cells = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_every_alert_says_what_it_means_and_how_bad_it_is() -> None:
    assert [rule["alert"] for rule in RULES if not {"summary", "description"} <= rule["annotations"].keys()] == []
    assert {rule["labels"]["severity"] for rule in RULES} == {"critical", "warning"}
