"""Proposals of the bot's own that nobody decided on, once the causes were ranked anew and another one is first."""

from collections.abc import Sequence

from bot.core.action import ProposalState
from bot.core.approvals.remedies import OUTDATED, Remedy, has_enough_evidence
from bot.core.evidence import Findings
from bot.store.approvals.lapsed import first_key
from bot.store.approvals.outdated import undecided_by_key
from bot.store.approvals.proposals import ProposalStore


def fit_key(group: str, remedy: Remedy) -> str:
    """The key of the proposal that puts a remedy to people."""
    return f"{_prefix(group)}{remedy.entry}:{remedy.service}:{remedy.arguments.get('change_id', '')}"


async def supersede_outdated(store: ProposalStore, group: str, findings: Findings, fitting: Sequence[Remedy]) -> list[str]:
    """Supersede what was put to people for an earlier first cause of a group and is not among what is `fitting` now.

    Where the cause that is first now has not enough to act on, that of which the change is ruled out. The references of what
    was superseded.
    """
    cleared = {claim.change_id for claim in findings.ruled_out} - {""}
    another = bool(fitting) or has_enough_evidence(findings)
    current, superseded = {fit_key(group, remedy) for remedy in fitting}, []
    for key, proposal in (await undecided_by_key(store.db, group, _prefix(group))).items():
        first = first_key(key)
        if first not in current and (another or first.endswith(tuple(f":{id}" for id in cleared))):
            state = await store.leave(proposal.ref, ProposalState.SUPERSEDED, reason=OUTDATED, states=(ProposalState.PENDING,))
            superseded += [proposal.ref] if state is ProposalState.SUPERSEDED else []
    return superseded


def _prefix(group: str) -> str:
    return f"fit:{group}:"
