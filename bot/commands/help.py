"""Help."""

from bot.commands._subject import fitting
from bot.core.grammar import nearest
from bot.plugins import Command, Reply, Request, command
from bot.store import overview
from bot.workflows.command_context import CommandContext


@command("help", usage="help [verb]")
async def help(ctx: CommandContext, request: Request) -> Reply:
    """Show what fits now, or one verb in full."""
    one = request.text.strip().lower()
    known = {word: verb.name for verb in ctx.verbs.values() for word in (verb.name, *verb.aliases)}
    if one and one not in known:
        near = nearest(one, known)
        return Reply(f"There is no verb {one[:40]}." + (f" Near: {', '.join(near)}." if near else " help lists all."))
    subject = await overview.belongs(ctx.db, request.ref) if request.ref else None
    state = {
        "verbs": [_told(verb) for verb in sorted(ctx.verbs.values(), key=lambda verb: verb.name)],
        "fits": fitting(ctx, subject),
        "one": known.get(one, ""),
        "command": ctx.config.command,
        "where": f"{subject.ref} ({subject.state})" if subject else "here",
    }
    return Reply("Help", view="help", subject=state)


def _told(verb: Command) -> dict[str, object]:
    text = " ".join((verb.fn.__doc__ or "").split())
    return {
        "name": verb.name,
        "aliases": verb.aliases,
        "usage": verb.usage,
        "summary": verb.summary,
        "text": text,
        "options": verb.options,
        "who": verb.who,
    }
