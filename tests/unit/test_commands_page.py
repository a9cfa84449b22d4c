"""docs/commands.md says what the commands are, and each command what the router needs to know of it."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from bot.commands.__main__ import page, verbs
from bot.plugins import Command, Form

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = [pytest.param(verb, id=name) for name, verb in verbs().items()]


def test_the_page_is_made_from_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == f"{page()}\n", "run make docs"


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_says_whether_it_may_open_a_form(verb: Command) -> None:
    answer = get_type_hints(verb.fn)["return"]

    assert verb.opens_form == (Form in (answer, *get_args(answer)))


@pytest.mark.parametrize("verb", [verb for verb in verbs().values() if verb.who == "approvers"], ids=lambda verb: verb.name)
def test_who_approves_is_never_taken_from_memory(verb: Command) -> None:
    assert verb.fresh_identity


@pytest.mark.parametrize("name", ["admin", "break-glass", "lead", "policy", "private", "resume", "silence", "standing"])
def test_who_gives_a_right_or_lets_automation_go_on_is_never_taken_from_memory(name: str) -> None:
    assert verbs()[name].fresh_identity


@pytest.mark.parametrize("name", ["stop", "veto"])
def test_what_only_stops_does_not_wait_for_slack_to_say_who_it_is(name: str) -> None:
    assert not verbs()[name].fresh_identity
