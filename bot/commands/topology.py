"""What ties a service to others."""

from bot.commands._subject import subject_of
from bot.core.errors import NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import Reply, Request, command
from bot.store.alerts.ties.learned import LearnedTopology
from bot.workflows.command_context import CommandContext


@command("topology", usage="topology [service]", who="members")
async def topology(ctx: CommandContext, request: Request) -> Reply:
    """Show what a service depends on as declared and as learned, why alerts of others join its card, and where both differ."""
    service = one_line(request.text, 120).strip() or (await subject_of(ctx, request)).service
    if not service:
        raise NotFound("Say of which service: topology checkout.")
    learned = await LearnedTopology(ctx.db).of(service, ctx.catalogue)
    lines = learned.lines(ctx.clock())
    if service not in ctx.catalogue.services and not learned.calls and not learned.cascades:
        raise NotFound(f"{one_line(service, 60)} is no service of the catalogue, and nothing was learned of it.")
    proposal = learned.proposal()
    if proposal:
        lines += [f"Not declared: {', '.join(learned.undeclared)}. For tocsin.yaml:", *proposal.split("\n")]
    return Reply("\n".join([f"Topology of {service}:", *lines]))
