"""An office in which restarts of checkout have proved themselves, and two people granted that they start for ErrorsHigh."""

from pathlib import Path
from typing import Any

from bot.core.action import Proposal
from bot.store.tables import MessageRow
from bot.workflows.remediation.standing import request_grant
from tests.unit.approving import CONFIG, Office, actor, office

LADDER = {"checkout": {"actions": {"restart": "standing"}}}
RESTART = {**CONFIG["actions"]["restart"], "helps": ["resource"]}
CONFIGURED: dict[str, Any] = {
    "autonomy": LADDER,
    "default_channel": "C0",
    "actions": {**CONFIG["actions"], "restart": RESTART},
}


async def proved(path: Path, *, runs: int = 5, **config: Any) -> Office:
    """After so many verified restarts; each an hour apart, as targets are counted."""
    house = await office(path, {**CONFIGURED, **config})
    await house.alert_fires()
    for number in range(runs):
        await restarted(house, f"run-{number}")
    return house


async def restarted(house: Office, key: str) -> str:
    """One restart that people approve; how it ends."""
    proposal = await house.propose("restart", key=key)
    await house.approve(proposal.ref, key=f"bob:{key}")
    state = await house.ended(proposal.ref, seconds=1)
    house.pass_time(hours=1, minutes=1)
    return state


async def asked(house: Office, who: str = "alice", **values: Any) -> Proposal:
    """Somebody asks for the grant."""
    terms: dict[str, Any] = {"alert": "ErrorsHigh", "per_day": 2, "days": 90, "group_ref": "", "key": "grant", **values}
    return await request_grant(house.approvals, actor(who), "restart", "checkout", {}, **terms)


async def granted(house: Office) -> str:
    """Two people grant it; its reference."""
    proposal = await asked(house)
    for who in ("alice", "owner"):
        await house.approvals.prepare(proposal, actor(who))
        await house.approve(proposal.ref, who, key=f"{who}:grant")
    assert await house.ended(proposal.ref, seconds=1) == "succeeded"
    return proposal.ref


async def fires(house: Office, key: str = "again", **values: Any) -> Proposal:
    """Tocsin's own rules propose the restart once more, and its card stands in Slack."""
    proposal = await unseen(house, key, **values)
    await stands(house, proposal)
    return proposal


async def stands(house: Office, proposal: Proposal) -> None:
    """Its card stands in Slack from now on."""
    async with house.db.write() as session:
        card = await session.get(MessageRow, f"proposal:{proposal.ref}")
        assert card is not None
        card.ts = f"{house.db.clock().timestamp():.6f}"


async def unseen(house: Office, key: str = "again", **values: Any) -> Proposal:
    """The same while Slack takes no card."""
    return await house.approvals.propose(
        "restart", "checkout", {}, group_ref="AL-1", requester="", because="E1", key=key, by_rules=True, **values
    )
