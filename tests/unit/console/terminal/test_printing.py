"""Lines for a terminal: whoever wrote a text, it steers nothing."""

import io

import pytest
from rich.table import Table

from bot.console.terminal.console import TerminalConsole
from bot.console.terminal.printing import print_lines, terminal_text

HOSTILE = {
    "\x1b[2Jcleared": "\\u001b[2Jcleared",
    "\x1b]8;;https://evil.example\x07here": "\\u001b]8;;https://evil.example\\u0007here",
    "\x9b31mred": "\\u009b31mred",
    "over\rwritten\b": "over\\rwritten\\u0008",
    "abc\u202edcba\u2066": "abc\\u202edcba\\u2066",
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_what_could_steer_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


def test_lines_and_words_of_any_language_stay_as_they_are() -> None:
    assert terminal_text("gekürzt ✓ 🙂\nпул\n") == "gekürzt ✓ 🙂\nпул\n"


def test_what_is_echoed_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines("a\x1b[2Jb", err=True)

    assert capsys.readouterr().err == "a\\u001b[2Jb\n"


def test_a_console_colours_its_own_and_lets_no_cell_do_so() -> None:
    file = io.StringIO()
    console = TerminalConsole(file=file, force_terminal=True, color_system="standard", width=80)
    table = Table("[bold]name[/bold]")
    table.add_row("evil\x1b[5mblink")
    console.print(table)
    console.print("plain\x1b]0;title\x07", markup=False)

    printed = file.getvalue()
    assert "\x1b[1m" in printed and "\x1b[5m" not in printed and "evil\\u001b" in printed
    assert "\x1b]0" not in printed and "\x07" not in printed
