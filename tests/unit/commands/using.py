"""Uses a verb as its entry points do, on the approvals of the tests."""

from typing import Any

from bot.commands.show import show
from bot.core.actor import ChannelAccess
from bot.plugins import Command, EntryPoint, Request
from bot.settings import catalogue_of
from bot.workflows.command_context import CommandContext
from bot.workflows.read_access import ReadAccess
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.readers import everything_public


def context(fixture: ApprovalsFixture, **verbs: Command) -> CommandContext:
    """What every verb gets."""
    return CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=fixture.engine,
        clock=lambda: fixture.now, verbs=verbs, approvals=fixture.approvals, usergroup=fixture.usergroup,
        read_access=everything_public(fixture.db),
    )  # fmt: skip


async def use(fixture: ApprovalsFixture, verb: Command, who: str, **values: Any) -> Any:
    """The verb's answer; a press on the card of AP-1 unless told otherwise."""
    fields = {
        "verb": verb.name,
        "channel": "C1",
        "ref": "AP-1",
        "revision": 1,
        "key": f"{who}:{values}",
    }
    entry_point = EntryPoint(values.get("entry_point", "button"))
    return await verb.fn(
        context(fixture, **{verb.name: verb, show.name: show}),
        Request(actor=actor(who), **{**fields, **values, "entry_point": entry_point}),
    )


class Started:
    """Keeps what was started."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, ...]] = []

    async def start(self, workflow: str, id: str, *args: Any) -> None:
        self.runs.append((id, *args))


def with_private_c1(fixture: ApprovalsFixture) -> ReadAccess:
    """Who reads what where C1 is a private channel and every other one is public."""

    async def access(channel: str) -> ChannelAccess:
        return ChannelAccess(is_private=channel == "C1", members=frozenset({actor("alice").user}))

    return ReadAccess(fixture.db, access)
