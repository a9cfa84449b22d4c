"""Help: what fits now first, then all commands."""

from bot.core.messages.replies import CommandHelp, HelpReply
from bot.slack.blocks import Block, Rendered, context, divider, header, section, sections
from bot.slack.untrusted_text import escape
from bot.slack.view_context import ViewContext


def render(help: HelpReply, view: ViewContext) -> Rendered:
    """The suggested commands and all others, or one in full."""
    if help.command:
        shown = next(command for command in help.commands if command.name == help.command)
        return f"Help on {shown.name}", [header(f"Help: {shown.name}"), section(_whole(shown, help.slash))]
    suggested = [command for command in help.commands if command.name in help.suggested]
    others = [command for command in help.commands if command.name not in help.suggested]
    blocks: list[Block] = [
        header("Help"),
        *sections([f"*What fits {escape(help.where)}:*", *map(_short, suggested)]),
        divider(),
        *sections(["*Also:*", *map(_short, others)]),
        context(f"Write `{help.slash} verb` in a channel, or mention me with the same words, also in a thread."),
    ]
    return "Help: the verbs that fit now", blocks


def _short(command: CommandHelp) -> str:
    return f"`{escape(command.usage or command.name)}` {escape(command.summary)}"


def _whole(command: CommandHelp, slash: str) -> str:
    lines = [f"`{slash} {escape(command.usage or command.name)}`", escape(command.text)]
    if command.aliases:
        lines.append(f"Also: {', '.join(command.aliases)}")
    if options := [name for name in command.options if name != "*"]:
        lines.append(f"Options: {', '.join(f'{name}=' for name in options)}")
    return "\n".join([*lines, f"Who: {command.who}"])
