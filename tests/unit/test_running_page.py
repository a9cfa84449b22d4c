"""docs/running.md names what /metrics shows."""

from pathlib import Path

from prometheus_client import REGISTRY

import bot.app
import bot.web.measures

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
HOLDERS = (bot.app, bot.web.measures)


def test_every_counter_is_on_the_page() -> None:
    counters = [f"{family.name}_total" for family in REGISTRY.collect() if family.name.startswith("bot_")]

    assert HOLDERS and len(counters) >= 6 and [name for name in counters if f"`{name}`" not in PAGE] == []
