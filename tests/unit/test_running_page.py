"""docs/running.md names what /metrics shows, and which keys change without a restart."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

import bot.app
import bot.web.metrics
from bot.core.config.differences import LIVE

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
HOLDERS = (bot.app, bot.web.metrics)


def test_every_metric_is_on_the_page() -> None:
    own = [family for family in REGISTRY.collect() if family.name.startswith("bot_")]
    names = [f"{family.name}_total" if family.type == "counter" else family.name for family in own]

    assert HOLDERS and len(names) >= 12 and [name for name in names if f"`{name}`" not in PAGE] == []


def test_the_keys_that_change_without_a_restart_are_on_the_page() -> None:
    listed = PAGE.partition("Without a restart change ")[2].partition(";")[0]

    assert set(re.findall(r"`(\w+)`", listed)) == LIVE
