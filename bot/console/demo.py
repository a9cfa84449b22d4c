"""`tocsin demo`: a whole incident on one machine. With `--once` it plays the commander and prints the transcript."""

import json
import signal
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Message, Player
from bot.console.terminal.console import TerminalConsole
from bot.console.terminal.plain import plain
from bot.core.action import DECIDABLE, OPEN_STATES, DecisionChoice, ProposalState

COMMANDER, DEVELOPER = "U2", "U3"
FIRST_CAUSE = "1"
"""What the dialog of `resolve` offers: the causes as they were ranked."""
STEPS = ("start", "alerts", "card", "facts", "causes", "proposal", "refusal", "decision", "outcome", "clearing", "postmortem")
FINAL = frozenset(ProposalState) - OPEN_STATES


def present(*, seed: int, port: int) -> int:
    """Start everything, print the page's address and serve until Ctrl-C."""
    console = TerminalConsole()
    # Ended from outside, it must not leave the sandbox and the bot behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with console.status("Starting the sandbox and the bot"):
        stage = DemoProcesses(seed=seed, port=port).__enter__()
    try:
        console.print(f"\nOpen [bold]{stage.page}[/bold]: Slack's stand-in. Something breaks in a moment.", soft_wrap=True)
        console.print(
            "Act as alice (on call), bob (commander) or carol (developer); kill the bot and watch it resume. Ctrl-C ends.",
            soft_wrap=True,
        )
        webbrowser.open(stage.page)
        stage.break_something()
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopping.")
        return 0
    finally:
        stage.__exit__()


def play(*, seed: int, deny: bool, port: int, result: Path | None) -> int:
    """Play the incident once as the commander; 0 only if the approved action resolved it and the postmortem is posted."""
    console = TerminalConsole()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Starting the sandbox and the bot", total=len(STEPS))

        def step(name: str) -> None:
            progress.update(task, completed=STEPS.index(name), description=name.capitalize())

        step("start")
        began = time.monotonic()
        with DemoProcesses(seed=seed, port=port) as stage:
            incident = _Incident(stage, console, deny=deny, step=step)
            incident.log(f"Sandbox and bot are ready after {time.monotonic() - began:.1f} s (seed {seed})")
            outcome = incident.run()
            outcome["seconds"] = round(time.monotonic() - began, 1)
            outcome["truth"] = stage.client.get(f"{stage.page}_world/truth").json() if result else None
    if result:
        result.write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    console.print(f"[bold]{escape(str(outcome['verdict']).capitalize())}[/bold], after {outcome['seconds']} s", soft_wrap=True)
    return 0 if outcome["resolved"] else 1


class _Incident:
    """One run of the incident, printed line by line."""

    def __init__(self, stage: DemoProcesses, console: Console, *, deny: bool, step: Callable[[str], None]) -> None:
        self.stage = stage
        self.console = console
        self.deny = deny
        self.step = step
        self.player = Player(stage.client, stage.access["control"])
        self.names = self.player.names()
        self.outcome: dict[str, Any] = {"seed": stage.seed, "resolved": False, "verdict": "", "proposal": "", "denied": deny}
        self.began = time.monotonic()

    def log(self, text: str) -> None:
        line = escape(plain(text, self.names))
        self.console.print(f"[dim]{time.monotonic() - self.began:5.1f} s[/dim]  {line}", highlight=False, soft_wrap=True)

    def show(self, who: str, message: Message) -> None:
        """A message as its words, indented."""
        self.log(f"{who}:")
        # The first line is the fallback of notifications.
        for line in plain(message["words"].partition("\n")[2], self.names).splitlines():
            if line.strip():
                self.console.print(f"          {escape(line)}", highlight=False, soft_wrap=True)

    def run(self) -> dict[str, object]:
        """Play until the end; the outcome as plain JSON."""
        self.step("alerts")
        self.stage.break_something()
        self.step("card")
        if (card := self.player.wait("card:", seconds=20)) is None:
            return self._end("no card appeared")
        self.log(f"Card in #{self.names.get(card['channel'], card['channel'])}: {card['text']}")
        self.step("facts")
        if self.player.wait("triage:", holds="onset", seconds=20) or self.player.wait("triage:", holds="range", seconds=1):
            self.log("Facts stand in the thread")
        self.step("causes")
        causes = self._causes()
        if causes is None:
            return self._end("no ranked causes appeared")
        self.show("Triage", causes)
        self.step("proposal")
        proposal = self.player.wait("proposal:", seconds=6)
        if proposal is None:
            return self._end(f"{self._why_none()}; people decide")
        self.outcome["proposal"] = proposal["text"]
        self.show("Proposal", proposal)
        return self._decide(proposal)

    def _why_none(self) -> str:
        """Why nothing was proposed, as the bot wrote it down."""
        triage = (self._api("groups/AL-1").get("triages") or [{}])[-1]
        return str(triage.get("no_proposal") or "no proposal appeared").rstrip(".")

    def _causes(self) -> Message | None:
        """The triage message once its attempt is done: read through the API, shown as in Slack."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            triage = (self._api("groups/AL-1").get("triages") or [{}])[-1]
            # A group that began as a warning has a first attempt of facts alone; the causes come with its second.
            if triage.get("state") in ("done", "failed") and triage.get("findings"):
                self.outcome["findings"] = triage.get("findings")
                self.outcome["facts"] = triage.get("facts")
                first = ((triage.get("findings") or {}).get("hypotheses") or [{}])[0].get("cause", "")
                return self.player.wait("triage:", holds=first[:20], seconds=5) or self.player.wait("triage:", seconds=1)
            time.sleep(0.2)
        return None

    def _decide(self, proposal: Message) -> dict[str, object]:
        self.step("refusal")
        self.player.press(DEVELOPER, proposal, DecisionChoice.APPROVE)
        if answer := self.player.private(DEVELOPER):
            self.outcome["refused"] = answer["text"]
            self.log(f"The developer presses Approve and gets a private answer: {answer['text']}")
        self.step("decision")
        verb = DecisionChoice.DENY if self.deny else DecisionChoice.APPROVE
        self.player.press(COMMANDER, proposal, verb)
        if self._state() in DECIDABLE:
            self.player.submit(COMMANDER, {"reason": "fits the evidence" if not self.deny else "not convinced"})
        self.log(f"The commander chooses {verb}")
        self.step("outcome")
        state = self._final_state()
        self.outcome["state"] = state
        self.log(f"The action: {state}")
        if self.deny or state != ProposalState.SUCCEEDED:
            return self._end(f"{state}; the fault goes on")
        return self._finish()

    def _finish(self) -> dict[str, object]:
        self.step("clearing")
        card = self.player.wait("card:", holds="monitoring", seconds=60)
        self.log("Alerts cleared; monitoring" if card else "Alerts have not cleared yet")
        incident = self._api("incidents")[0]["ref"]
        self.player.command(COMMANDER, (card or self.player.by_key("card:")[0])["channel"], f"resolve {incident}")
        self.player.submit(COMMANDER, {"which": FIRST_CAUSE})
        self.log(f"The commander resolves {incident} and confirms the first cause")
        self.step("postmortem")
        draft = self.player.wait("postmortem:", seconds=20)
        if draft is None:
            return self._end("no postmortem draft appeared")
        self.show("Postmortem draft", draft)
        self.outcome["postmortem"] = self._markdown(incident)
        healthy = self.stage.client.get(f"{self.stage.page}_world/state").json()
        self.outcome["world"] = healthy
        self.outcome["resolved"] = bool(healthy.get("healthy"))
        self.outcome["executions"] = self.stage.client.get(f"{self.stage.page}_world/executions").json()
        return self._end("resolved by the approved action; the postmortem stands")

    def _end(self, verdict: str) -> dict[str, object]:
        self.outcome["verdict"] = verdict
        return self.outcome

    def _state(self) -> str:
        proposals = self._api("groups/AL-1").get("proposals") or [{}]
        return str(proposals[0].get("proposal", {}).get("state", ""))

    def _final_state(self) -> str:
        end = time.monotonic() + 180
        while (state := self._state()) not in FINAL and time.monotonic() < end:
            time.sleep(0.2)
        return state

    def _api(self, path: str) -> Any:  # Any: the JSON of an answer
        answer = self.stage.client.get(f"{self.stage.bot_url}/api/{path}", headers={"Authorization": "Bearer demo-api-token"})
        return answer.json() if answer.status_code == 200 else {}

    def _markdown(self, incident: str) -> str:
        url = f"{self.stage.bot_url}/api/incidents/{incident}/postmortem"
        return self.stage.client.get(url, headers={"Authorization": "Bearer demo-api-token"}).text
