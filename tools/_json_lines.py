"""JSON of other systems as lines: each value on one of its own, named by its path."""

from collections.abc import Iterator

from bot.core.text.untrusted import cut, one_line

MAX_LINES, MAX_LINE = 1_000, 300


def json_lines(answer: object) -> tuple[tuple[str, ...], int]:
    """The first values, each on a line of its own and named by its path, and how many there are."""
    lines: list[str] = []
    count = 0
    for name, value in _flat(answer):
        count += 1
        if len(lines) < MAX_LINES:
            text = one_line(str(value), MAX_LINE)
            lines.append(cut(f"{name}: {text}" if name else text, MAX_LINE))
    return tuple(lines), count


def _flat(answer: object) -> Iterator[tuple[str, object]]:
    """Each value with its place, in order; however deep it lies, without recursion."""
    left = [("", answer)]
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            inner = [(_below(name, str(key)), item) for key, item in value.items()]
            left += reversed(inner)
        elif isinstance(value, list):
            left += reversed([(cut(f"{name}[{index}]", MAX_LINE), item) for index, item in enumerate(value)])
        else:
            yield name, value


def _below(name: str, key: str) -> str:
    return cut(f"{name}.{one_line(key, 60)}" if name else one_line(key, 60), MAX_LINE)
