"""Record what a person ran by hand, or what came of a run whose outcome is unknown."""

from bot.commands._subject import subject_of
from bot.core.action import Proposal, ProposalState
from bot.core.errors import NotAllowed
from bot.plugins import EntryPoint, Reply, Request, command
from bot.workflows.command_context import CommandContext
from bot.workflows.remediation.by_hand import ManualRuns


@command(
    "did",
    usage="did AP-3 [2] | did not AP-3 | did <action> [service=]",
    options=("service",),
    who="members",
    fresh_identity=True,
)
async def did(ctx: CommandContext, request: Request) -> Reply:
    """Say that you ran it by hand: the signal is watched and the timeline written as if the bot had run it.

    Where it is not known whether the bot's own run took place, it says that it did: `did not` says the contrary.
    Of a plan, name the step: `did AP-3 2`.
    """
    step = 0
    if request.ref.startswith("AP-"):
        proposal = await ctx.approvals.store.load(request.ref)
        if request.entry_point is EntryPoint.BUTTON and not _asks(proposal):
            # Only a press that nobody's card offers comes here: a person who ran it says so in words.
            raise NotAllowed(f"The card of {request.ref} has no such button now: it is {proposal.state.predicate}.")
        denied = request.text.lower().split()[:1] == ["not"]
        step = 0 if denied else _step(request)
        if (proposal.state is ProposalState.UNKNOWN and not step) or denied:
            return await answer_unknown(ctx, request, ran=not denied)
        what, service, owner = request.ref, proposal.service, ""
    else:
        words = request.text.split()
        if not words:
            return Reply("Say what you ran, for example: did AP-3, or: did rollback service=checkout.")
        subject = await subject_of(ctx, request)
        what, owner = words[0], subject.incident or subject.group
        service = request.options.get("service", "") or (words[1] if len(words) > 1 else subject.service)
    key = (f"did:{what}:{step}" if step else f"did:{what}") if what.startswith("AP-") else f"did:{request.key}"
    proposal = await ManualRuns(ctx.approvals).record(what, request.actor, service=service, group_ref=owner, key=key, step=step)
    which, rest = (f"step {step} of {what}", f" {what} itself runs no more.") if step else ("it", "")
    return Reply(f"Recorded as {proposal.ref}: you ran {which} by hand. Its signal is being watched.{rest}")


def _step(request: Request) -> int:
    """The step of a plan that is named beside its reference, as `2` or `step 2`; 0 where none is."""
    words = [word for word in request.text.lower().split() if word not in ("step", request.ref.lower())]
    return int(words[0]) if len(words) == 1 and words[0].isascii() and words[0].isdecimal() and len(words[0]) < 4 else 0


def _asks(proposal: Proposal) -> bool:
    """Whether the card has a button by which people say that they ran it."""
    return proposal.state.asks_by_hand or (proposal.state.decidable and not proposal.autonomy.runs)


async def answer_unknown(ctx: CommandContext, request: Request, *, ran: bool) -> Reply:
    """What a person saw of a run whose outcome is unknown; it stands on the same card."""
    return Reply(await ManualRuns(ctx.approvals).answer_unknown(request.ref, request.actor, ran=ran))
