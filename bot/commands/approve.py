"""Approve a proposal."""

from bot.commands._plan import approval_form, mistyped_target, press_of
from bot.core.action import DecisionChoice, Proposal
from bot.core.approvals.policy_types import Rule
from bot.core.approvals.request import confirmed_at_once
from bot.core.errors import NotAllowed
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.workflows.command_context import CommandContext

TEXT = "Text, emoji and reactions never approve. Press Approve on the card of the proposal."


@command("approve", usage="approve AP-3", who="approvers", opens_form=True, fresh_identity=True)
async def approve(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Approve a proposal: by its card's button, from tier 2 on in a dialog with the plan and a fresh dry run."""
    ref = request.ref
    if not ref.startswith("AP-"):
        return Reply("Say which proposal, for example: approve AP-3. The card has the button.")
    if request.entry_point in (EntryPoint.MENTION, EntryPoint.DIRECT, EntryPoint.SHORTCUT):
        press = press_of(request, request.revision or 0, DecisionChoice.APPROVE)
        return Reply((await ctx.approvals.refuse(press, Rule.TEXT, TEXT)).text)
    proposal = await ctx.approvals.store.load(ref)
    if request.entry_point == EntryPoint.MODAL:
        return await _submitted(ctx, request, proposal)
    if request.entry_point == EntryPoint.BUTTON and confirmed_at_once(proposal):
        return await _decide(ctx, request, proposal)
    return await _form(ctx, await ctx.approvals.prepare(proposal, request.actor), request)


async def _submitted(ctx: CommandContext, request: Request, proposal: Proposal) -> Reply | FieldErrors:
    if not proposal.state.final and (errors := mistyped_target(request, proposal)):
        return FieldErrors(errors)
    return await _decide(ctx, request, proposal, request.fields.get("reason", ""))


async def _decide(ctx: CommandContext, request: Request, proposal: Proposal, reason: str = "") -> Reply:
    if request.revision is None:
        raise NotAllowed("This button names no revision, so nothing was approved. Use the proposal's card.")
    press = press_of(request, request.revision, DecisionChoice.APPROVE, reason)
    return Reply((await ctx.approvals.decide(proposal, press)).text)


async def _form(ctx: CommandContext, proposal: Proposal, request: Request) -> Form:
    own = proposal.requester != "" and proposal.requester == request.actor.person
    return await approval_form(
        ctx,
        proposal,
        title=f"Approve {proposal.ref}",
        verb="approve",
        intro="You approve exactly this, and it runs once. The dry run is valid for 2 minutes.",
        reason=Field("reason", "Reason", kind="long", optional=not own, hint="The record shows it."),
        submit="Approve",
    )
