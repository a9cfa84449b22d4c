"""`python -m bot.commands` prints docs/commands.md, made from the commands."""

from collections.abc import Mapping

from bot.plugins import Command, discover

HEADER = """# Commands

Made from the package `bot/commands` by `python -m bot.commands`; do not edit.

Every verb works as `/incident verb ...`, as `@tocsin verb ...` (also in threads, where the reference is implied),
and the common ones as buttons. Arguments: a reference (`AL-3`, `INC-3`, `AP-3`), options (`key=value`,
`key="two words"`), text. `<...>` is needed, `[...]` may be left out. Everything the bot answers to one person is private.

Who may: *anyone* (as far as they may read), *members* (full members of the workspace, and by the verb only some of them),
*approvers* (whom the roster and rota name for the proposal at hand; `whoami` tells).
"""


def verbs() -> Mapping[str, Command]:
    """Every command by name."""
    return discover(["bot.commands"], Command)


def page() -> str:
    """The page, in Markdown."""
    commands = verbs()
    return "\n".join([HEADER, *(_entry(commands[name]) for name in sorted(commands))])


def _entry(verb: Command) -> str:
    lines = [
        f"## {verb.name}",
        "",
        " ".join((verb.fn.__doc__ or "").split()),
        "",
        f"    {verb.usage or '(the empty line)'}",
        "",
    ]
    if verb.aliases:
        lines.append(f"Also: {', '.join(verb.aliases)}.  ")
    if options := [name for name in verb.options if name != "*"]:
        lines.append(f"Options: {', '.join(f'`{name}=`' for name in options)}.  ")
    return "\n".join([*lines, f"Who: {verb.who}.", ""])


if __name__ == "__main__":
    print(page())
