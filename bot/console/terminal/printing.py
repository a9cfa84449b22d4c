"""Lines for a terminal: texts of others cannot steer it, whoever wrote them and however they came there."""

from typing import NoReturn

import typer

from bot.core.text.untrusted import escape_controls


def terminal_text(text: str) -> str:
    """The same lines; escape sequences, control and direction characters stand there as `\\u....`."""
    return "\n".join(map(escape_controls, text.split("\n")))


def print_lines(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print lines on the standard output, or the error output."""
    typer.echo(terminal_text(text), err=err, nl=nl)


def fail(text: str) -> NoReturn:
    """End the command with one line on the error output and exit code 2."""
    print_lines(f"tocsin: {text}", err=True)
    raise typer.Exit(2)
