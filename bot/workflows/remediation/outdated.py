"""Proposals of the bot's own that nobody decided on, once the causes were ranked anew and another one is first."""

from collections.abc import Iterable

from bot.core.action import ProposalState
from bot.core.approvals.remedies import OUTDATED, Remedy
from bot.store.approvals.lapsed import first_key
from bot.store.approvals.outdated import undecided_by_key
from bot.store.approvals.store import ProposalStore


def fit_key(group: str, remedy: Remedy) -> str:
    """The key of the proposal that puts a remedy to people."""
    return f"{_prefix(group)}{remedy.entry}:{remedy.service}:{remedy.arguments.get('change_id', '')}"


async def supersede_outdated(store: ProposalStore, group: str, fitting: Iterable[Remedy]) -> list[str]:
    """Supersede what was put to people for an earlier first cause of a group and is not among what is `fitting` now.

    The references of what was superseded.
    """
    current, superseded = {fit_key(group, remedy) for remedy in fitting}, []
    for key, proposal in (await undecided_by_key(store.db, group, _prefix(group))).items():
        if first_key(key) not in current:
            state = await store.leave(proposal.ref, ProposalState.SUPERSEDED, reason=OUTDATED, states=(ProposalState.PENDING,))
            superseded += [proposal.ref] if state is ProposalState.SUPERSEDED else []
    return superseded


def _prefix(group: str) -> str:
    return f"fit:{group}:"
