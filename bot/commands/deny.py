"""Deny or withdraw."""

from bot.commands._plan import press_of
from bot.core.action import DecisionChoice
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.workflows.command_context import CommandContext


@command(
    "deny", aliases=("cancel", "withdraw"), usage="deny AP-3 <reason>", who="approvers", opens_form=True, fresh_identity=True
)
async def deny(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Deny a proposal with a reason; whoever asked for it withdraws it the same way. Wins until the run has begun."""
    ref = request.ref
    if not ref.startswith("AP-"):
        return Reply(f"Say which proposal and why, for example: deny AP-3 {request.text or 'wrong service'}.")
    proposal = await ctx.approvals.store.load(ref)
    revision = request.revision or proposal.revision
    reason = (request.fields.get("reason") or request.text).strip()
    if not reason and request.entry_point == EntryPoint.MODAL:
        return FieldErrors({"reason": "Say why; the record shows it."})
    press = press_of(request, revision, DecisionChoice.DENY, reason)
    if not reason:
        if (refused := await ctx.approvals.check(proposal, press)) is not None:
            return Reply(refused.text)
        why = Field("reason", "Why not?", kind="long")
        return Form(f"Deny {ref}", "deny", ref=ref, revision=revision, intro=proposal.title, fields=[why], submit="Deny")
    return Reply((await ctx.approvals.decide(proposal, press)).text)
