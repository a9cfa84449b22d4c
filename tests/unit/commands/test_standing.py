"""The commands standing and veto, and what a card says of a standing approval."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.commands.autonomy import autonomy
from bot.commands.standing import standing_approvals
from bot.commands.veto import veto
from bot.core.errors import NotAllowed, NotFound
from bot.slack.render import Renderer
from bot.store.tables import MessageRow
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.commands.using import use
from tests.unit.store.approvals.standing.granting import fires, granted, proved


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await proved(tmp_path)
    yield fixture
    await fixture.close()


async def says(fixture: ApprovalsFixture, who: str, text: str, ref: str = "", **options: str) -> str:
    answer = await use(
        fixture, standing_approvals, who, text=text, ref=ref, options=options, entry_point="slash", key=f"{who}{text}{ref}"
    )
    return str(answer.text)


async def card(fixture: ApprovalsFixture, ref: str) -> str:
    async def nobody(service: str) -> tuple[str, ...]:
        return ()

    message = next(row for row in await fixture.rows(MessageRow) if row.key == f"proposal:{ref}")
    return str(await Renderer(fixture.db, fixture.config, nobody).render(message))


async def test_asking_for_one_puts_a_card_to_two_people(fixture: ApprovalsFixture) -> None:
    answer = await says(fixture, "alice", "grant restart checkout", alert="ErrorsHigh", days="30", a_day="1")

    assert answer == "AP-6 asks for it: two people approve its card, one of them an owner of checkout."
    text = await card(fixture, "AP-6")
    assert "Let restart run on checkout without asking when ErrorsHigh fires" in text and "needs 2 approvals" in text
    assert "At most 1 a day, for 30 days" in (await fixture.store.load("AP-6")).dry_run


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("grant restart", {"alert": "ErrorsHigh"}),
        ("grant restart checkout", {}),
        ("grant restart checkout", {"alert": "ErrorsHigh", "days": "many"}),
        ("keep restart", {}),
    ],
)
async def test_a_line_that_does_not_say_all_of_it_changes_nothing(
    fixture: ApprovalsFixture, text: str, options: dict[str, str]
) -> None:
    with pytest.raises(NotFound):
        await says(fixture, "alice", text, **options)


async def test_the_ladder_shows_who_granted_what_till_when_and_how_many_were_used(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)

    lines = (await use(fixture, autonomy, "alice", text="checkout", ref="", entry_point="slash")).text.splitlines()

    assert lines[-1].startswith(f"{ref}: restart on checkout for ErrorsHigh, by alice and owner until 2026-05-30")
    assert lines[-1].endswith("used 0 of 2 today.")
    assert await says(fixture, "alice", "") == lines[-1]


async def test_the_card_says_when_it_starts_and_has_a_stop_button(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    proposal = await fires(fixture)

    text = await card(fixture, proposal.ref)

    assert "STARTS BY ITSELF: Restart checkout" in text and f"by standing approval {ref} unless somebody stops it" in text
    assert "'Stop'" in text and "'Deny...'" not in text


async def test_after_a_stop_the_card_waits_for_people(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)

    answer = await use(fixture, veto, "mallory", ref=proposal.ref)

    text = await card(fixture, proposal.ref)
    assert "does not start by itself" in answer.text
    assert "APPROVAL NEEDED" in text and "'Stop'" not in text and "'Deny...'" in text


async def test_the_card_of_what_was_started_names_the_grant(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    proposal = await fires(fixture)
    await fixture.ended(proposal.ref, seconds=10)

    assert f"started by standing approval {ref}" in await card(fixture, proposal.ref)


async def test_revoking_one_is_said_and_shown(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)

    answer = await says(fixture, "bob", "revoke too often", ref)

    assert answer == f"{ref} is revoked: restart on checkout waits for people again."
    assert "does not count: bob revoked it: too often." in await says(fixture, "alice", "")


async def test_who_is_on_no_rota_revokes_nothing(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)

    with pytest.raises(NotAllowed, match="Who may: anybody on a rota"):
        await says(fixture, "mallory", "revoke", ref)
