"""Pictures of how rights change hands: a policy that gives more, a standing approval that is asked for, and break-glass."""

import os
import signal
import time
from typing import Any

import yaml

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Message, key_of
from bot.core.config.autonomy import StandingApprovalsConfig
from tests.messages.camera import COMMANDER, ON_CALL, OWNER, Camera

STANDING = {"auth": {"actions": {"restart": "standing"}}}


def take(stage: DemoProcesses, camera: Camera) -> None:
    """In the order in which a team would meet them."""
    _policy(stage, camera)
    camera.player.command(COMMANDER, "C0", 'declare "Logins are slow" sev=3 service=auth')
    incident = camera.found("Logins are slow", camera.player.wait("card:", holds="Logins are slow", seconds=30))
    _standing(camera, incident)
    _break_glass(camera, incident)


def _policy(stage: DemoProcesses, camera: Camera) -> None:
    """A file that gives people more, loaded by nobody who is known: it waits for its card."""
    path = stage.folder / "tocsin.yaml"
    keys: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys["autonomy"] = STANDING
    keys["approvers"]["deputies"].append("carol")
    path.write_text(yaml.safe_dump(keys), encoding="utf-8")
    assert stage.bot is not None
    os.kill(stage.bot.pid, signal.SIGHUP)
    card = camera.message("policy", camera.player.wait("policy:", holds="carol", seconds=30), OWNER)
    camera.player.press(OWNER, card, "policy_confirm")
    camera.message("policy-confirmed", camera.player.wait("policy:", holds="*IN FORCE*", seconds=30), OWNER)


def _standing(camera: Camera, incident: Message) -> None:
    """An action that proved itself as often as it must is asked for."""
    for _ in range(StandingApprovalsConfig().verified):
        card = _proposed(camera, incident, "restart auth")
        camera.player.press(ON_CALL, card, "approve")
        camera.player.submit(ON_CALL, {"reason": "it helps each time"})
        camera.found("of a run that succeeded", camera.player.wait(key_of(card), holds="*SUCCEEDED*", seconds=180))
    camera.player.command(COMMANDER, "C0", "standing grant restart auth alert=HighErrorRate days=90 a_day=3")
    request = camera.player.wait("proposal:", holds="without asking when", seconds=30)
    camera.message("standing-approval", request, OWNER)


def _break_glass(camera: Camera, incident: Message) -> None:
    card = _proposed(camera, incident, "restart notifications")
    camera.player.command(OWNER, "C0", f"break-glass {_ref(card)}")
    camera.dialog("break-glass-dialog", OWNER)
    camera.player.command(OWNER, "C0", f"break-glass {_ref(card)}")
    camera.player.submit(OWNER, {"reason": "on call and deputy do not answer"})
    camera.message("break-glass", camera.player.wait("", holds="BREAK-GLASS", but="revision", seconds=30))


def _proposed(camera: Camera, incident: Message, what: str) -> Message:
    """The card of what the commander puts to people in an incident's thread."""
    before = {key_of(card) for card in camera.player.by_key("proposal:")}
    text = f'propose {what} because="its pods hold stale connections"'
    camera.act(COMMANDER, {"mention": {"channel": incident["channel"], "thread": incident["ts"], "text": text}})
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if card := next((card for card in camera.player.by_key("proposal:") if key_of(card) not in before), None):
            return card
        time.sleep(0.1)
    raise SystemExit(f"no card of {what}: {camera.player.private(COMMANDER)}")


def _ref(card: Message) -> str:
    return key_of(card).split(":")[1]
