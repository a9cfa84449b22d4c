"""Pictures of every kind of message, at desktop and phone width: one played incident, each message drawn alone by Chromium."""

import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image, ImageChops

from bot.console.player import Message, Player
from bot.console.stage import SOURCE, DemoProcesses
from bot.core.alerts.renewal import BURST
from tests.real.processes import binary

FOLDER = Path(__file__).parents[2] / "docs" / "messages"
WIDTHS = {"desktop": 720, "phone": 390}
HEIGHT = 2_600
"""Of the browser's window; the picture is cut to what is drawn."""
COLOURS = 96
ON_CALL, COMMANDER, DEVELOPER = "U1", "U2", "U3"
_KINDS = ("InstanceDown", "DiskFull", "QueueBacklog", "CertificateExpired", "ReplicationLag")
TAKEOVER_SECONDS = 4.0
"""From the proposal until the triage above it names it."""


def take_all() -> list[str]:
    """Play the demo's first fault and picture each kind of message; their names, in the order in which they appeared."""
    FOLDER.mkdir(exist_ok=True)
    with DemoProcesses(seed=1, model=False) as stage:
        camera = Camera(stage)
        _backlog(stage, camera)
        _incident(stage, camera)
        _renewed(stage, camera)
        _others(stage, camera)
    return camera.taken


class Camera:
    """Takes pictures of single messages and dialogs of one stage."""

    def __init__(self, stage: DemoProcesses) -> None:
        self.stage = stage
        self.player = Player(stage.client, stage.access["control"])
        self.taken: list[str] = []

    def message(self, name: str, message: Message | None, person: str = COMMANDER) -> Message:
        """A message as one person sees it. Raises SystemExit if it never came."""
        if message is None:
            raise SystemExit(f"no message for the picture {name}")
        self._take(name, {"as": person, "channel": message["channel"], "alone": message["ts"]})
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
        end = time.monotonic() + 10
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


# ---------------------------------------------------------------- what is played


def _backlog(stage: DemoProcesses, camera: Camera) -> None:
    """What fired for hours when the source is first connected."""
    since = datetime.now(UTC) - timedelta(hours=3)
    _send(stage, [("DiskFillsUp", "search", "warning"), ("CertificateExpires", "auth", "info")], since)
    camera.message("backlog", camera.player.wait("digest:", seconds=20))


def _incident(stage: DemoProcesses, camera: Camera) -> None:
    player = camera.player
    stage.break_something()
    proposal = player.wait("proposal:", seconds=90)
    time.sleep(TAKEOVER_SECONDS)
    card = camera.message("card", player.wait("card:", holds="cause", seconds=20))
    triage = camera.message("triage", player.wait("triage:", holds="AP-1", seconds=20))
    proposal = camera.message("approval", proposal)
    player.press(COMMANDER, triage, "full")
    camera.dialog("triage-details", COMMANDER)
    player.press(COMMANDER, proposal, "full")
    camera.dialog("approval-details", COMMANDER)
    player.press(DEVELOPER, proposal, "approve")
    camera.message("refusal", player.private(DEVELOPER), DEVELOPER)
    _questions(camera, card)
    player.press(COMMANDER, proposal, "approve")
    camera.dialog("approval-dialog", COMMANDER)
    player.press(COMMANDER, proposal, "approve")
    player.submit(COMMANDER, {"reason": "fits the evidence"})
    camera.message("approval-succeeded", player.wait("proposal:", holds="*SUCCEEDED*", seconds=180))
    cleared = camera.message("card-cleared", player.wait("card:", holds="*MONITORING*", seconds=90))
    player.command(COMMANDER, cleared["channel"], "resolve INC-1")
    player.submit(COMMANDER, {})
    camera.message("card-resolved", player.wait("card:", holds="*RESOLVED*", seconds=30))
    camera.message("postmortem", player.wait("postmortem:", seconds=30))
    if question := player.wait("cause:", seconds=5):
        camera.message("cause", question)


def _questions(camera: Camera, card: Message) -> None:
    for name, question in (("answer-changes", "what changed?"), ("answer-next-step", "what should I do?")):
        before = len(camera.player.by_key("answer:"))
        camera.act(ON_CALL, {"mention": {"channel": card["channel"], "thread": card["ts"], "text": question}})
        end = time.monotonic() + 20
        while len(camera.player.by_key("answer:")) == before and time.monotonic() < end:
            time.sleep(0.2)
        camera.message(name, next(iter(camera.player.by_key("answer:")[before:]), None), ON_CALL)


def _renewed(stage: DemoProcesses, camera: Camera) -> None:
    """Something new on a card that is open."""
    _send(stage, [("HighErrorRate", "search", "critical")], datetime.now(UTC))
    time.sleep(BURST.total_seconds() + 2)
    burst = [
        ("MemoryHigh", "search", "critical"),
        ("PodRestarting", "search", "warning"),
        ("HighLatency", "storefront", "critical"),
    ]
    _send(stage, burst, datetime.now(UTC))
    camera.message("renewed", camera.player.wait("renewed:", holds="With it", seconds=30))


def _others(stage: DemoProcesses, camera: Camera) -> None:
    player = camera.player
    for n in range(1, 31):
        # Each of an Alertmanager group of its own: what one of them holds together is one group here.
        _send(
            stage,
            [(f"{_KINDS[n % len(_KINDS)]}{n}", f"edge-{n}", "critical")],
            datetime.now(UTC),
        )
    camera.message("storm", player.wait("storm:", seconds=30))
    player.command(COMMANDER, "C0", 'declare "Order mails are late" sev=3 service=notifications')
    incident = player.wait("incident_card:", seconds=5) or player.wait("card:", holds="mails", seconds=15)
    _plan(camera, camera.message("incident", incident))
    player.command(COMMANDER, "C0", "list")
    camera.message("list", player.private(COMMANDER), COMMANDER)


def _plan(camera: Camera, incident: Message) -> None:
    """A plan of two steps: put to people, approved, and under way."""
    player, text = camera.player, 'propose back-and-restart notifications because="mails wait since 2.1.0"'
    camera.act(COMMANDER, {"mention": {"channel": incident["channel"], "thread": incident["ts"], "text": text}})
    card = camera.message("plan", player.wait("proposal:", holds="and restart it", seconds=30))
    player.press(ON_CALL, card, "approve")
    camera.dialog("plan-dialog", ON_CALL)
    player.press(ON_CALL, card, "approve")
    player.submit(ON_CALL, {"reason": "2.1.0 is the only change"})
    camera.message("plan-running", player.wait("proposal:", holds="Roll back notifications: verified", seconds=120))


def _send(stage: DemoProcesses, alerts: list[tuple[str, str, str]], since: datetime) -> None:
    """Alerts as Alertmanager sends them: name, service, severity."""
    entries = [
        {
            "status": "firing", "labels": {"alertname": name, "service": service, "severity": severity},
            "annotations": {"summary": f"{service}: {name}"}, "startsAt": since.isoformat(),
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": f"{name}-{service}",
        }
        for name, service, severity in alerts
    ]  # fmt: skip
    whole = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0}
    body = {"version": "4", "groupKey": alerts[0][0], "status": "firing", "receiver": "tocsin", "alerts": entries, **whole}
    token = stage.access["environment"]["TOCSIN_TOKEN_SHOP"]
    answer = stage.client.post(f"{stage.bot_url}/alerts/{SOURCE}", json=body, headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()
