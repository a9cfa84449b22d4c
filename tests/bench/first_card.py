"""`python -m tests.bench.first_card`: seconds until the demo's first card. Needs what `make install` brings and no more."""

import time

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Player


def first_card() -> float:
    """Seconds from starting the demo's stage until its first card stands."""
    began = time.monotonic()
    with DemoProcesses(seed=1, model=False) as stage:
        stage.break_something()
        if Player(stage.client, stage.access["control"]).wait("card:", seconds=30) is None:
            raise RuntimeError("no card appeared")
        return time.monotonic() - began


if __name__ == "__main__":
    print(f"{first_card():.1f}")
