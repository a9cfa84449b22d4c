"""What the team's files say, and that they say nothing about what is wrong."""

from datetime import UTC, datetime
from pathlib import Path

import yaml

from bot.sandbox.world.model import World
from bot.sandbox.world.promql.parser import parse
from bot.sandbox.world.rules import RULES
from tests.unit.sandbox.world.builders import ask, let_pass, world


def test_the_files_are_the_same_for_every_seed(tmp_path: Path) -> None:
    for seed in (1, 2):
        world(seed)[0].write_configuration(tmp_path / str(seed), "http://127.0.0.1:1")
    first, second = (sorted((tmp_path / seed).rglob("*.*")) for seed in ("1", "2"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_signal_of_a_healthy_shop_has_a_value_on_the_good_side(tmp_path: Path) -> None:
    shop, _ = world(1, fault="none")
    shop.write_configuration(tmp_path, "http://127.0.0.1:1", channels={"cart": "C7"})
    config = yaml.safe_load((tmp_path / "tocsin.yaml").read_text())
    assert len(config["services"]) == 12 and config["services"]["cart"]["channel"] == "C7"
    for name, service in config["services"].items():
        for signal in service["signals"].values():
            (value,) = ask(shop, signal["promql"]).values()
            assert value < signal.get("bad_above", 1e9), (name, signal)


def test_the_first_named_is_on_call_over_the_midnight_that_follows_the_start(tmp_path: Path) -> None:
    sunday = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC).timestamp()
    World(1, clock=lambda: sunday, history_hours=1.0).write_configuration(tmp_path, "http://127.0.0.1:1")

    rota = yaml.safe_load((tmp_path / "tocsin.yaml").read_text())["services"]["cart"]["on_call"]

    assert (rota["rotation"][0], rota["every"], str(rota["starts"])) == ("alice", "1w", "2026-11-29T00:00:00Z")


def test_no_share_of_requests_is_more_than_all_of_them(tmp_path: Path) -> None:
    shop, clock = world(3)
    let_pass(shop, clock, 60)
    shop.write_configuration(tmp_path, "http://127.0.0.1:1")
    signals = yaml.safe_load((tmp_path / "tocsin.yaml").read_text())["services"]["checkout"]["signals"]

    (share,) = ask(shop, signals["bad_requests"]["promql"]).values()

    assert 0.5 < share <= 1


def test_every_alert_has_a_runbook_and_every_query_in_it_can_be_read(tmp_path: Path) -> None:
    world(1)[0].write_configuration(tmp_path, "http://127.0.0.1:1")
    pages = {path.stem: path.read_text() for path in (tmp_path / "runbooks").iterdir()}
    assert {rule.name for rule in RULES} - {"Watchdog"} <= set(pages)
    for page in pages.values():
        for quoted in page.split("`")[1::2]:
            if "(" in quoted or "{" in quoted:
                parse(quoted)
