"""The pages say what is so: examples load, every key and variable is named, and what they name or link to is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.core.config import Config
from bot.core.config.budget import Budget
from bot.core.config.fields import ConfigSection, Matchers, Period, parse_duration
from bot.core.config.systems import PagerConfig
from bot.core.service import Objective, Signal
from bot.settings import Secrets, parse_config
from bot.store import tables
from tests.real import missing

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SYSTEMS = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
ACTIONS = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
APPROVALS = (ROOT / "docs" / "approvals.md").read_text(encoding="utf-8")
SOURCES = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALERTMANAGER, CONFIGURATION = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_example_configuration_is_valid() -> None:
    config = parse_config(CONFIGURATION)

    assert config.actions["rollback"].undo == "rollforward" and config.services["checkout"].channel


def test_the_slack_tokens_that_the_stand_in_is_tried_with_are_its_own() -> None:
    tokens = re.findall(r"TOCSIN_SLACK_\w+_TOKEN=(x\w+-sandbox\S+)", README)
    sandbox = (ROOT / "bot" / "sandbox" / "__main__.py").read_text(encoding="utf-8")

    assert len(tokens) == 2 and all(f'default="{token}"' in sandbox for token in tokens)


def test_every_key_of_the_configuration_is_in_the_table() -> None:
    keys = [*Config.model_fields, *Budget.model_fields, *PagerConfig.model_fields]

    assert [key for key in keys if f"`{key}`" not in README] == []


def test_every_key_of_the_table_is_one_of_the_configuration() -> None:
    table = README.partition("| key | default |")[2].partition("\n\n")[0]
    keys = {key for row in table.splitlines() for key in re.findall(r"`([\w.]+)`", row.split("|")[1])}

    assert keys == {*Config.model_fields, "policy.yaml"}


def test_every_key_of_every_part_is_in_the_table_or_in_an_example() -> None:
    shown = set(
        re.findall(
            r"\w+", " ".join(re.findall(r"```.*?```|`[^`\n]+`", README + SYSTEMS + SOURCES + ACTIONS + APPROVALS, re.DOTALL))
        )
    )
    parts = [Signal, Objective, *ConfigSection.__subclasses__(), *Matchers.__subclasses__(), *Period.__subclasses__()]

    assert {part.__name__: sorted(part.model_fields.keys() - shown) for part in parts if part.model_fields.keys() - shown} == {}


def test_every_variable_is_in_the_table() -> None:
    names = [str(field.validation_alias or f"TOCSIN_{name.upper()}") for name, field in Secrets.model_fields.items()]

    assert [name for name in names if f"`{name}`" not in README] == []


def test_alertmanager_takes_the_snippet(tmp_path: Path) -> None:
    """Read by Alertmanager's own checker where it is installed."""
    (receiver,) = yaml.safe_load(ALERTMANAGER)["receivers"][1]["webhook_configs"]
    assert receiver["send_resolved"] and receiver["http_config"]["authorization"]["credentials"]
    if (amtool := shutil.which("amtool")) is None:
        missing("amtool, Alertmanager's own checker")
    (tmp_path / "am.yml").write_text(ALERTMANAGER)

    done = subprocess.run([amtool, "check-config", str(tmp_path / "am.yml")], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_the_heartbeat_of_the_example_comes_as_often_as_it_says_and_takes_nothing_from_the_pager() -> None:
    heartbeat, others, pager = yaml.safe_load(ALERTMANAGER)["route"]["routes"]
    minutes = {name: parse_duration(heartbeat[name]).total_seconds() / 60 for name in ("group_interval", "repeat_interval")}

    # Alertmanager looks at a group once every group_interval: with its default of 5m nothing repeats every two minutes.
    assert minutes["group_interval"] <= minutes["repeat_interval"] <= 2
    assert heartbeat["continue"] and others["continue"] and "matchers" not in pager and "continue" not in pager
    assert (heartbeat["matchers"], others["matchers"]) == (["alertname = Watchdog"], ["alertname != Watchdog"])


def test_the_limits_in_the_table_are_those_of_the_code() -> None:
    limits = {name: value for name, value in Budget().model_dump().items() if isinstance(value, int | float)}
    shown = {name: f"{value:.2f}" if name == "per_run_usd" else f"{value:.12g}" for name, value in limits.items()}

    assert [name for name, value in shown.items() if not re.search(rf"`{name}` {re.escape(value)}[ ,]", README)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    places = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [place for place in places if not (page.parent / place).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`([\w./-]+\.(?:py|md|toml))`", page.read_text(encoding="utf-8"))
    roots = [ROOT, ROOT / "bot", ROOT / "bot" / "core", page.parent]

    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def test_every_table_stands_on_the_architecture_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Where state lives")[2]

    assert [name for name in tables.AlertRow.metadata.tables if f"`{name}`" not in page] == []
