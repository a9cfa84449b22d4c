"""Which rules of what a merge may mean for later ever apply: alerts that not everybody may read share no card by themselves."""

from collections.abc import Sequence

from bot.commands._readable_services import channel_of
from bot.core.alerts.ties.grouping_rules import RuleDraft
from bot.workflows.command_context import CommandContext


async def applying(ctx: CommandContext, drafts: Sequence[RuleDraft]) -> list[RuleDraft]:
    """Those that tie alerts of channels that may share a card."""
    return [draft for draft in drafts if await _may_apply(ctx, draft)]


async def _may_apply(ctx: CommandContext, draft: RuleDraft) -> bool:
    if "" in draft.services:
        # A side without a service holds alerts of any channel.
        return True
    return await ctx.read_access.may_share_card(*(channel_of(ctx, side.service) for side in (draft.first, draft.second)))


def why_none(draft: RuleDraft) -> str:
    """Why no rule is offered, where this is what it would have been."""
    return (
        f"No rule is offered for {draft.text}: it would not apply. Their channels differ, and one of them is private, shared "
        "with another workspace or not known to Slack now; such alerts come on one card only where people merge them."
    )
