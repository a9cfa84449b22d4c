"""`policy` shows what waits; a button or the slash command confirms or rejects it."""

from pathlib import Path
from typing import Any

import pytest

from bot.commands.policy import policy
from bot.core.config import Config
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import EntryPoint, Reply, Request
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture, actor, open_approvals
from tests.unit.commands.using import context


async def waiting(folder: Path) -> ApprovalsFixture:
    """Approvals whose file names a new deputy that nobody has confirmed."""
    fixture = await open_approvals(folder)
    await fixture.review.start()
    wide = Config.model_validate({**CONFIG, "approvers": {"deputies": ["bob", "mallory"], "admins": ["root", "bob"]}})
    vars(fixture.config).update(vars(wide))
    fixture.review.hold_back((await fixture.review.consider(wide, "SIGHUP")).held_back_to)
    return fixture


async def answer(fixture: ApprovalsFixture, who: str, verb: str = "policy", **values: Any) -> str:
    fields = {"ref": "POL-2", "entry_point": "button", **values}
    request = Request(verb, actor(who), "C1", **{**fields, "entry_point": EntryPoint(fields["entry_point"])})
    reply = await policy.fn(context(fixture), request)
    assert isinstance(reply, Reply)
    return reply.text


async def test_it_shows_what_waits_and_who_may_agree(tmp_path: Path) -> None:
    fixture = await waiting(tmp_path)
    text = await answer(fixture, "alice", ref="")
    await fixture.policies.confirm("POL-2", "root", await fixture.rotas.roster())
    agreed = await answer(fixture, "alice", ref="")
    await fixture.policies.confirm("POL-2", "owner", await fixture.rotas.roster())
    after = await answer(fixture, "alice", ref="")
    await fixture.close()

    assert text.splitlines() == [
        "POL-2 waits for a second person. It would let more:",
        "- mallory becomes a deputy, who may approve everything",
        "bob, owner or root can confirm it: it takes two of them. policy confirm POL-2, or policy reject POL-2.",
    ]
    assert "root agreed already." in agreed.splitlines()
    assert after == "No policy waits for a second person."


@pytest.mark.parametrize("values", [{"verb": "policy_confirm"}, {"entry_point": "slash", "text": "confirm"}])
async def test_an_admin_and_an_owner_confirm_by_button_or_slash_command(tmp_path: Path, values: dict[str, Any]) -> None:
    fixture = await waiting(tmp_path)
    first = await answer(fixture, "owner", **values)
    text = await answer(fixture, "root", **values)
    await fixture.close()

    assert first == "You agree to POL-2. Nothing counts yet: one more person has to confirm it. bob or root can."
    assert text == "POL-2 counts now, everywhere. The audit has it."


async def test_an_owner_rejects(tmp_path: Path) -> None:
    fixture = await waiting(tmp_path)
    text = await answer(fixture, "owner", verb="policy_reject")
    await fixture.close()

    assert text.startswith("POL-2 is rejected: the rights stay as they were.")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"entry_point": "mention", "text": "confirm"}, "What is said in a message never confirms"),
        ({"entry_point": "direct", "text": "confirm"}, "What is said in a message never confirms"),
        ({"verb": "policy_confirm", "ref": ""}, "Say which policy"),
        ({"verb": "policy_confirm", "ref": "AP-1"}, "Say which policy"),
        ({"entry_point": "slash", "text": "widen"}, "policy takes confirm or reject"),
    ],
)
async def test_anything_else_confirms_nothing(tmp_path: Path, values: dict[str, Any], why: str) -> None:
    fixture = await waiting(tmp_path)
    with pytest.raises((NotAllowed, NotFound), match=why):
        await answer(fixture, "root", **values)
    waits = await fixture.policies.waiting()
    await fixture.close()

    assert waits is not None


@pytest.mark.parametrize(
    ("person", "flags", "why"),
    [
        ("root", {"is_guest": True}, "Guests never qualify"),
        ("root", {"is_bot": True}, "Bots never qualify"),
        ("", {}, "not in the roster"),
    ],
)
async def test_whoever_never_qualifies_confirms_nothing(tmp_path: Path, person: str, flags: dict[str, Any], why: str) -> None:
    fixture = await waiting(tmp_path)
    request = Request("policy_confirm", actor(person, **flags), "C1", ref="POL-2", entry_point=EntryPoint.BUTTON)
    with pytest.raises(NotAllowed, match=why):
        await policy.fn(context(fixture), request)
    await fixture.close()
