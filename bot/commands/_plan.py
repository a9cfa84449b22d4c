"""The dialog that approves a proposal, the target that is typed in it at tier 3, and the answer to a proposal."""

from bot.core.action import DecisionChoice, Proposal, Tier
from bot.core.approvals.request import effect_text, may_be_approved, plan_text
from bot.core.errors import NotAllowed
from bot.core.text.moments import minute_of_day
from bot.plugins import Field, Form, Request
from bot.store.approvals.decisions import Press
from bot.store.incidents.rows import load_group
from bot.workflows.command_context import CommandContext


def target_name(proposal: Proposal) -> str:
    """What has to be typed at tier 3: the one target, else the service."""
    return next(iter(proposal.targets)) if len(proposal.targets) == 1 else proposal.service


def press_of(request: Request, revision: int, verdict: DecisionChoice, reason: str = "") -> Press:
    """The answer that a request gives to a proposal."""
    return Press(
        ref=request.ref,
        revision=revision,
        actor=request.actor,
        verdict=verdict,
        reason=reason.strip()[:500],
        key=request.key,
        card=request.message,
        channel=request.channel,
    )


def mistyped_target(request: Request, proposal: Proposal) -> dict[str, str]:
    """What the dialog says at its target field where tier 3 was not typed right."""
    if proposal.tier is not Tier.THREE or request.fields.get("target", "").strip() == target_name(proposal):
        return {}
    return {"target": f"Type the target's name exactly: {target_name(proposal)}"}


async def approval_form(
    ctx: CommandContext, proposal: Proposal, *, title: str, verb: str, intro: str, reason: Field, submit: str
) -> Form:
    """The dialog with the whole plan, the target to type at tier 3, and the reason. Raises NotAllowed if it does not fit."""
    if not may_be_approved(proposal):
        raise NotAllowed(f"The plan of {proposal.ref} does not fit whole into a dialog, so it cannot be approved here.")
    target = [Field("target", "Type the target's name", hint=target_name(proposal))] if proposal.tier is Tier.THREE else []
    return Form(
        title=title,
        verb=verb,
        ref=proposal.ref,
        revision=proposal.revision,
        intro="\n".join(filter(None, (effect_text(proposal), await _cleared(ctx, proposal.group), intro))),
        code=plan_text(proposal),
        fields=[*target, reason],
        submit=submit,
    )


async def _cleared(ctx: CommandContext, ref: str) -> str:
    """That no alert of its group fires any more; "" where one does, or nobody could check."""
    async with ctx.db.read() as session:
        group = await load_group(session, ref)
    if group is None or group.cleared_at is None or not group.cleared:
        return ""
    return f"Alerts cleared at {minute_of_day(group.cleared_at, ctx.clock())}. Cancel, and deny it, if it is no longer needed."
