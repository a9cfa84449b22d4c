"""Uses a verb as its entry points do, over the office of approvals."""

from typing import Any

from bot.commands.show import show
from bot.plugins import Command, EntryPoint, Request
from bot.settings import catalogue_of
from bot.workflows.command_context import CommandContext
from tests.unit.approving import Office, actor
from tests.unit.readers import everything_public


def context(house: Office, **verbs: Command) -> CommandContext:
    """What every verb gets."""
    return CommandContext(
        db=house.db, config=house.config, catalogue=catalogue_of(house.config), engine=house.engine, clock=lambda: house.now,
        verbs=verbs, approvals=house.approvals, usergroup=house.usergroup,
        reading=everything_public(house.db),
    )  # fmt: skip


async def use(house: Office, verb: Command, who: str, **values: Any) -> Any:
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
        context(house, **{verb.name: verb, show.name: show}),
        Request(actor=actor(who), **{**fields, **values, "entry_point": entry_point}),
    )
