"""Approve alone in an emergency, and review that afterwards."""

from dataclasses import replace

from bot.commands._plan import approval_form, mistyped_target, press_of
from bot.core.action import DecisionChoice, Proposal
from bot.core.approvals import in_force
from bot.core.approvals.break_glass import may_review
from bot.core.approvals.policy_types import Rule, names_text
from bot.core.errors import NotAllowed
from bot.core.text.moments import date_to_the_minute
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.store.approvals.break_glass_reviews import BreakGlassReviews, BreakGlassUse
from bot.workflows.command_context import CommandContext

TEXT = "Words alone open nothing: type the slash command, which shows the plan in a dialog."
INTRO = (
    "You approve this alone, past everyone who would have to agree. All are told, somebody is paged, and a second person "
    "reviews it. A freeze, a pause or a stop still holds it back."
)


@command(
    "break-glass",
    usage="break-glass AP-3 [reason] | break-glass review AP-3 <what you found>",
    who="members",
    opens_form=True,
    fresh_identity=True,
)
async def break_glass(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Approve alone in an emergency, if `break_glass` in tocsin.yaml names you: with a reason, and everyone is told.

    It counts for 15 minutes, at tiers 1 to 3, and replaces nothing but the approval of others: freezes, pause and stop hold.
    Somebody is paged, and a second person reviews it within 3 working days. Without a reference: what waits for a review.
    """
    ref = request.ref
    word, _, rest = request.text.partition(" ")
    if word.lower() == "review" and ref.startswith("AP-"):
        return await _review(ctx, request, rest.strip())
    if not ref.startswith("AP-"):
        return await _list(ctx, request)
    if request.entry_point in (EntryPoint.MENTION, EntryPoint.DIRECT, EntryPoint.SHORTCUT):
        press = replace(press_of(request, 0, DecisionChoice.APPROVE), break_glass=True)
        return Reply((await ctx.approvals.refuse(press, Rule.TEXT, TEXT)).text)
    proposal = await ctx.approvals.store.load(ref)
    if request.entry_point is EntryPoint.MODAL:
        return await _submitted(ctx, request, proposal)
    return await _form(ctx, await ctx.approvals.prepare(proposal, request.actor, break_glass=True), request.text)


async def _submitted(ctx: CommandContext, request: Request, proposal: Proposal) -> Reply | FieldErrors:
    errors = mistyped_target(request, proposal)
    if not (reason := request.fields.get("reason", "").strip()):
        errors["reason"] = "Say why nobody else can approve it; everyone reads it."
    if errors and not proposal.state.final:
        return FieldErrors(errors)
    if request.revision is None:
        raise NotAllowed("This dialog names no revision, so nothing was approved. Open it again.")
    press = press_of(request, request.revision, DecisionChoice.APPROVE, reason)
    return Reply((await ctx.approvals.decide(proposal, replace(press, break_glass=True))).text)


async def _form(ctx: CommandContext, proposal: Proposal, reason: str) -> Form:
    why = Field("reason", "Why can nobody else approve it?", kind="long", value=reason, hint="Everyone reads it.")
    return await approval_form(
        ctx, proposal, title="BREAK-GLASS", verb="break-glass", intro=INTRO, reason=why, submit="Break glass"
    )


# ---------------------------------------------------------------- afterwards


async def _review(ctx: CommandContext, request: Request, text: str) -> Reply:
    reviews = BreakGlassReviews(ctx.db, ctx.config)
    use = await reviews.of(request.ref)
    roster = await ctx.approvals.rotas.roster(use.service)
    eligibility = roster.eligibility(request.actor.person, use.service, ctx.clock())
    answer = may_review(request.actor, eligibility, use.person)
    if not answer.allow:
        raise NotAllowed(answer.explanation)
    if use.reviewed_by:
        return Reply(f"{use.reviewed_by} reviewed it already: {use.review}")
    if not text:
        return Reply(f"Say what you found, for example: break-glass review {request.ref} right call, the owner was asleep.")
    use = await reviews.review(request.ref, request.actor.person, text[:500])
    return Reply(f"Reviewed: the break-glass of {use.person} on {', '.join(use.proposals)}.")


async def _list(ctx: CommandContext, request: Request) -> Reply:
    named = names_text(sorted(in_force.break_glass(ctx.config))) or "nobody yet: name people under break_glass in tocsin.yaml"
    newest = await BreakGlassReviews(ctx.db, ctx.config).newest()
    uses = [_line(use) for use in newest if await ctx.read_access.may_read(request, use.ref)]
    return Reply("\n".join([f"May approve alone: {named}.", *uses]))


def _line(use: BreakGlassUse) -> str:
    what = f"{', '.join(use.proposals)} on {use.service} by {use.person}, {date_to_the_minute(use.opened_at)}: {use.reason}"
    if use.reviewed_by:
        return f"{what} (reviewed by {use.reviewed_by}: {use.review})"
    return f"{what} (waits for a review until {date_to_the_minute(use.review_by)}: break-glass review {use.ref} ...)"
