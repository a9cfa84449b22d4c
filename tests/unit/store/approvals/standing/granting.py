"""Approvals where restarts of checkout have proved themselves, and two people granted that they start for ErrorsHigh."""

from pathlib import Path
from typing import Any

from bot.core.action import Proposal
from bot.store.tables import MessageRow
from bot.workflows.remediation.standing import request_grant
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture, actor, open_approvals

LADDER = {"checkout": {"actions": {"restart": "standing"}}}
RESTART = {**CONFIG["actions"]["restart"], "helps": ["resource"]}
CONFIGURED: dict[str, Any] = {
    "autonomy": LADDER,
    "default_channel": "C0",
    "actions": {**CONFIG["actions"], "restart": RESTART},
}


async def proved(path: Path, *, runs: int = 5, **config: Any) -> ApprovalsFixture:
    """After so many verified restarts; each an hour apart, as targets are counted."""
    fixture = await open_approvals(path, {**CONFIGURED, **config})
    await fixture.alert_fires()
    for number in range(runs):
        await restarted(fixture, f"run-{number}")
    return fixture


async def restarted(fixture: ApprovalsFixture, key: str) -> str:
    """One restart that people approve; how it ends."""
    proposal = await fixture.propose("restart", key=key)
    await fixture.approve(proposal.ref, key=f"bob:{key}")
    state = await fixture.ended(proposal.ref, seconds=1)
    fixture.pass_time(hours=1, minutes=1)
    return state


async def asked(fixture: ApprovalsFixture, who: str = "alice", **values: Any) -> Proposal:
    """Somebody asks for the grant."""
    terms: dict[str, Any] = {"alert": "ErrorsHigh", "per_day": 2, "days": 90, "group_ref": "", "key": "grant", **values}
    return await request_grant(fixture.approvals, actor(who), "restart", "checkout", {}, **terms)


async def granted(fixture: ApprovalsFixture) -> str:
    """Two people grant it; its reference."""
    proposal = await asked(fixture)
    for who in ("alice", "owner"):
        await fixture.approvals.prepare(proposal, actor(who))
        await fixture.approve(proposal.ref, who, key=f"{who}:grant")
    assert await fixture.ended(proposal.ref, seconds=1) == "succeeded"
    return proposal.ref


async def fires(fixture: ApprovalsFixture, key: str = "again", **values: Any) -> Proposal:
    """Tocsin's own rules propose the restart once more, and its card stands in Slack."""
    proposal = await unseen(fixture, key, **values)
    await stands(fixture, proposal)
    return proposal


async def stands(fixture: ApprovalsFixture, proposal: Proposal) -> None:
    """Its card stands in Slack from now on."""
    async with fixture.db.write() as session:
        card = await session.get(MessageRow, f"proposal:{proposal.ref}")
        assert card is not None
        card.ts = f"{fixture.db.clock().timestamp():.6f}"


async def unseen(fixture: ApprovalsFixture, key: str = "again", **values: Any) -> Proposal:
    """The same while Slack takes no card."""
    return await fixture.approvals.propose(
        "restart", "checkout", {}, group_ref="AL-1", requester="", because="E1", key=key, by_rules=True, **values
    )
