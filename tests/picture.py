"""`python -m tests.picture`: plays the demo until a proposal stands and takes docs/demo.png with headless Chromium."""

import subprocess
import time
from pathlib import Path

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Player
from tests.real.processes import binary

PICTURE = Path(__file__).parents[1] / "docs" / "demo.png"
WIDTH, HEIGHT = 1600, 1960
TAKEOVER_SECONDS = 3


def main() -> None:
    with DemoProcesses(seed=1) as stage:
        player = Player(stage.client, stage.access["control"])
        stage.break_something()
        if player.wait("proposal:", seconds=60) is None:
            raise SystemExit("no proposal appeared")
        time.sleep(TAKEOVER_SECONDS)
        card = player.by_key("card:")[0]
        take(f"{stage.page}#still=1&as=U2&channel={card['channel']}&thread={card['ts']}")


def take(address: str) -> None:
    """The picture of one page. `--no-sandbox`: Chromium refuses to run as root otherwise, and the page is our own."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
    place = [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={PICTURE}"]
    subprocess.run([binary("chromium"), *options, *place, address], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
