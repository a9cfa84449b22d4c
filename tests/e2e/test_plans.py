"""A plan of three steps with the real bot, Slack's stand-in and a shop that breaks: all good, one fails, stopped, killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.crash.pipeline import Pipeline
from tests.crash.scenario import FAULT, SEED, SERVICE, Scenario, add_plan, play
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import COMMANDER, Json, Slack, key_of

pytestmark = pytest.mark.timeout(1800)

LONG = 6 * PATIENCE


class Stage:
    """The shop is broken, and the plan that fits is offered."""

    def __init__(self, slack: Slack, bot: Bot) -> None:
        self.slack, self.bot = slack, bot

    def approved(self) -> str:
        """The plan's reference, once the commander approved it."""
        card = self.slack.wait("proposal:", "APPROVAL NEEDED", "Roll back, restart and refresh checkout", seconds=LONG)
        self.slack.press(COMMANDER, card, "approve")
        self.slack.submit(COMMANDER, reason="fits the evidence")
        return key_of(card).removeprefix("proposal:")

    def card(self, ref: str, *words: str) -> str:
        """What the plan's card shows, once it holds these words."""
        return str(self.slack.wait(f"proposal:{ref}", *words, seconds=LONG)["words"])

    def executed(self) -> list[str]:
        jobs: list[Json] = list(self.slack.world("executions"))
        return [job["action"] for job in jobs]


@contextmanager
def stage(folder: Path, *, second_step: str = "") -> Iterator[Stage]:
    """`second_step`: the job that the second step calls instead of the restart."""
    slack = Slack(folder, "--seed", str(SEED), "--fault", FAULT, "--service", SERVICE).start()
    path = folder / "shop" / "tocsin.yaml"
    config = yaml.safe_load(path.read_text())
    add_plan(config)
    for action in config["actions"].values():
        if "verify" in action:
            action["verify"]["within"] = "40s"
    if second_step:
        restart = config["actions"]["restart"]
        restart["url"] = restart["url"].replace("/restart", f"/{second_step}")
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    bot = Bot(folder, slack, path, environment=slack.addresses["environment"])
    try:
        bot.start()
        Pipeline(slack, bot).tell_in_time(LONG)
        yield Stage(slack, bot)
    finally:
        bot.stop()
        slack.stop()


def test_three_steps_run_one_after_the_other_and_the_card_shows_each(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        waiting = here.card("AP-1", "APPROVAL NEEDED")
        ref = here.approved()
        shown = here.card(ref, "*SUCCEEDED*")
        here.slack.wait(f"line:verified:{ref}:3")
        lines = [line["words"] for line in here.slack.of(f"line:verified:{ref}:")]
        executed = here.executed()

    assert "1. Roll back checkout (undo: Roll forward checkout)" in waiting and "3. Refresh checkout (no undo)" in waiting
    for step in ("1. Roll back checkout: verified", "3. Refresh checkout: verified"):
        assert step in shown
    assert executed == ["rollback", "restart", "restart"]
    assert [f"step {number} of 3" in line for number, line in enumerate(lines, 1)] == [True, True, True]


def test_a_step_that_fails_ends_the_plan_and_the_first_is_offered_to_be_undone(tmp_path: Path) -> None:
    with stage(tmp_path, second_step="nothing-like-it") as here:
        ref = here.approved()
        shown = here.card(ref, "*FAILED*")
        undo = here.slack.wait("proposal:", "APPROVAL NEEDED", "Roll forward checkout", seconds=LONG)
        told = here.slack.wait(f"line:outcome:{ref}", "failed")["words"]
        executed = here.executed()

    assert "one after the other: failed" in shown and "3. Refresh checkout: did not run" in shown
    assert "Step 3 did not run." in told and key_of(undo) != f"proposal:{ref}"
    assert executed == ["rollback"]


def test_a_stop_between_two_steps_holds_the_rest(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        ref = here.approved()
        until(lambda: here.executed(), LONG, "the first step")
        card = here.slack.of("card:")[0]
        here.slack.command(COMMANDER, card["channel"], f"stop {key_of(card).removeprefix('card:')}")
        shown = here.card(ref, "*STOPPED*")
        executed = here.executed()

    assert "Stopped after step 1 of 3: This incident was stopped. Steps 2 and 3 did not run." in shown
    assert executed == ["rollback"]


def test_a_bot_that_is_killed_between_two_steps_goes_on_with_the_next(tmp_path: Path) -> None:
    points = ("plan/conclude#1:after", "plan/claim#2:after")
    result = play(tmp_path, Scenario("killed between steps", points, agent=False, plan=True))

    assert (result.violations, result.missed) == ([], [])
    (plan,) = [proposal for proposal in result.history.proposals if proposal["parts"]]
    assert (plan["state"], len(result.history.executions)) == ("succeeded", 3)
