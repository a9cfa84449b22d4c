"""List what fits now, or describe one command."""

from bot.commands._subject import Around, around_of, fitting
from bot.core.commands.verb_line import nearest
from bot.core.messages.replies import CommandHelp, HelpReply
from bot.plugins import Command, Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("help", usage="help [verb]", who="anyone")
async def help(ctx: CommandContext, request: Request) -> Reply:
    """Show what fits now, or one verb in full."""
    name = request.text.strip().lower()
    by_word = {word: verb.name for verb in ctx.verbs.values() for word in (verb.name, *verb.aliases)}
    if name and name not in by_word:
        near = nearest(name, by_word)
        return Reply(f"There is no verb {name[:40]}." + (f" Near: {', '.join(near)}." if near else " help lists all."))
    around = await around_of(ctx, request)
    content = HelpReply(
        commands=[_described(verb) for verb in sorted(ctx.verbs.values(), key=lambda verb: verb.name)],
        suggested=fitting(ctx, around.subject),
        command=by_word.get(name, ""),
        slash=ctx.config.command,
        where=_where(around),
    )
    return Reply("Help", content=content)


def _where(around: Around) -> str:
    if around.subject:
        alone = f", the only one open{around.where}" if around.only_one else ""
        return f"{around.subject.ref} ({around.subject.state}){alone}"
    return f"here; open{around.where}: {', '.join(row.ref for row in around.open[:8])}" if around.open else "here"


def _described(verb: Command) -> CommandHelp:
    return CommandHelp(
        name=verb.name,
        aliases=verb.aliases,
        usage=verb.usage,
        summary=verb.summary,
        text=" ".join((verb.fn.__doc__ or "").split()),
        options=verb.options,
        who=verb.who,
    )
