"""A rich console for texts of others."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from bot.console.terminal.printing import terminal_text


class TerminalConsole(Console):
    """A console whose own colours alone reach the terminal, also out of a table's cell."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed, their texts made harmless."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(terminal_text(segment.text), segment.style)
