"""Pictures of every kind of message, at desktop and phone width: one played incident, and how rights change hands."""

import time
from datetime import UTC, datetime, timedelta

from bot.console.demo_processes import SOURCE, DemoProcesses
from bot.console.player import Message
from bot.core.alerts.renewal import BURST
from tests.messages import rights
from tests.messages.camera import COMMANDER, DEVELOPER, FOLDER, ON_CALL, Camera

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
        _withheld(stage, camera)
        rights.take(stage, camera)
    return camera.taken


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
    if "alt_text" not in str(triage):
        raise SystemExit("the triage has no graph, as its facts could not be read in time: run it again on a quieter machine")
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
    before = player.private(COMMANDER)
    player.command(COMMANDER, "C0", "list")
    camera.message("list", player.private(COMMANDER, before["ts"] if before else ""), COMMANDER)


def _withheld(stage: DemoProcesses, camera: Camera) -> None:
    """An incident of a private channel that the bot is not in."""
    channel = {"id": "C0SECURITY", "name": "security", "private": True, "bot": False, "members": [COMMANDER, ON_CALL]}
    stage.client.post(f"{stage.access['control']}/channels", json=channel).raise_for_status()
    camera.player.command(COMMANDER, "C0SECURITY", 'declare "A key was published" sev=1 service=auth')
    camera.message("withheld", camera.player.wait("withheld:", seconds=30))


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
