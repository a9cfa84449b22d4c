"""The policy that counts, and one that waits for a second person."""

from bot.core.actor import Actor
from bot.core.approvals.roster import Eligibility
from bot.core.approvals.rules import human_member
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import EntryPoint, Reply, Request, command
from bot.store.approvals.policies.policies import Policies
from bot.workflows.command_context import CommandContext

CONFIRM, REJECT = "confirm", "reject"


@command(
    "policy",
    aliases=("policy_confirm", "policy_reject"),
    usage="policy | policy confirm POL-3 | policy reject POL-3",
    who="members",
    fresh_identity=True,
)
async def policy(ctx: CommandContext, request: Request) -> Reply:
    """Show what a loaded policy would widen and who may agree; confirm or reject it (an admin or owner)."""
    word = request.verb.removeprefix("policy").removeprefix("_") or request.text.strip().lower()
    policies = Policies(ctx.db, lambda: ctx.config.default_channel)
    if not word:
        return await _shown(policies)
    if word not in (CONFIRM, REJECT):
        raise NotFound(f"policy takes confirm or reject, not {word[:40]}. Nothing was changed.")
    if not request.ref.startswith("POL-"):
        raise NotFound(f"Say which policy, for example: policy {word} POL-3. Its card has the button.")
    if request.entry_point in (EntryPoint.MENTION, EntryPoint.DIRECT, EntryPoint.SHORTCUT):
        raise NotAllowed("What is said in a message never confirms. Press the button on the card, or type the slash command.")
    _require_human(request.actor)
    roster = await ctx.approvals.rotas.roster()
    answer = policies.confirm if word == CONFIRM else policies.reject
    return Reply(await answer(request.ref, request.actor.person, roster))


async def _shown(policies: Policies) -> Reply:
    waiting = await policies.waiting()
    if waiting is None:
        return Reply("No policy waits for a second person.")
    lines = [f"{waiting.ref} waits for a second person. It would let more:", *(f"- {gain}" for gain in waiting.gains)]
    if waiting.agreed:
        lines.append(f"{', '.join(waiting.agreed)} agreed already.")
    return Reply("\n".join([*lines, f"{waiting.who_may} policy confirm {waiting.ref}, or policy reject {waiting.ref}."]))


def _require_human(actor: Actor) -> None:
    """Raises NotAllowed for whoever is no full member in `people`."""
    refusal = human_member(actor, Eligibility(person=actor.person, in_roster=bool(actor.person)))
    if refusal is not None:
        raise NotAllowed(refusal.text)
