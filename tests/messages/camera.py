"""Takes pictures of single messages and dialogs of the demo's stage, each drawn alone by Chromium."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image, ImageChops

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Message, Player
from tests.real.processes import binary

FOLDER = Path(__file__).parents[2] / "docs" / "messages"
WIDTHS = {"desktop": 720, "phone": 390}
HEIGHT = 2_600
"""Of the browser's window; the picture is cut to what is drawn."""
COLOURS = 96
DIALOG_SECONDS = 30
"""Until a dialog shows what it was opened for, on a machine that is busy."""
ON_CALL, COMMANDER, DEVELOPER, OWNER = "U1", "U2", "U3", "U5"


class Camera:
    """Takes pictures of single messages and dialogs of one stage."""

    def __init__(self, stage: DemoProcesses) -> None:
        self.stage = stage
        self.player = Player(stage.client, stage.access["control"])
        self.taken: list[str] = []

    def message(self, name: str, message: Message | None, person: str = COMMANDER) -> Message:
        """A message as one person sees it. Raises SystemExit if it never came."""
        there = self.found(f"for the picture {name}", message)
        self._take(name, {"as": person, "channel": there["channel"], "alone": there["ts"]})
        return there

    def found(self, what: str, message: Message | None) -> Message:
        """The message. Raises SystemExit if it never came."""
        if message is None:
            raise SystemExit(f"no message {what}")
        return message

    def dialog(self, name: str, person: str) -> None:
        """The dialog before a person, which is closed afterwards."""
        view = self._opened(name, person)
        self._take(name, {"as": person, "alone": "dialog"})
        self.act(person, {"close": {"view": view}})

    def act(self, person: str, act: dict[str, Any]) -> None:
        """What the player has no word for."""
        self.stage.client.post(f"{self.stage.access['control']}/act", json={"as": person, **act}).raise_for_status()

    def _opened(self, name: str, person: str) -> str:
        end = time.monotonic() + DIALOG_SECONDS
        while time.monotonic() < end:
            views = self.stage.client.get(f"{self.stage.access['control']}/views", params={"user": person}).json()["views"]
            if views and "Loading" not in str(views[-1]["blocks"]):
                return str(views[-1]["id"])
            time.sleep(0.1)
        raise SystemExit(f"no dialog opened for the picture {name}")

    def _take(self, name: str, where: dict[str, str]) -> None:
        for place, width in WIDTHS.items():
            address = f"{self.stage.page}#{urlencode({'still': 1, **where, 'width': width})}"
            shoot(address, FOLDER / f"{name}-{place}.png", width)
        self.taken.append(name)


def shoot(address: str, path: Path, width: int) -> None:
    """One page, cut to what is drawn on it."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.png"
        # A window below 500 pixels is not made; the page is as wide as it is told.
        place = [f"--window-size={max(width, 800)},{HEIGHT}", f"--screenshot={whole}", f"--user-data-dir={folder}/profile"]
        # `--no-sandbox`: Chromium refuses to run as root otherwise, and the page is our own.
        subprocess.run([binary("chromium"), *options, *place, address], check=True, capture_output=True, timeout=60)
        with Image.open(whole) as opened:
            picture = opened.convert("RGB").crop((0, 0, width, HEIGHT))
    ground = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    drawn = ImageChops.difference(picture, ground).getbbox()
    height = min(HEIGHT, (drawn[3] if drawn else 40) + 8)
    picture.crop((0, 0, width, height)).quantize(COLOURS).save(path, optimize=True)
