"""Takes the bot's own instructions out of what a model says: a run of words that stands there word for word is no finding."""

import re
from collections.abc import Iterable

RUN = 7
"""Words in a row from which it is no accident."""
WITHHELD = "[instructions withheld]"
_WORD = re.compile(r"\w+")


class PromptLeak:
    """`without(text)`; made once from the texts that are not to be repeated."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._runs = {run for source in sources for run in _runs([m.group().lower() for m in _WORD.finditer(source)])}

    def without(self, text: str) -> str:
        """The text with each run of seven or more words of a source replaced; any other text comes back as it is."""
        matches = list(_WORD.finditer(text))
        runs = _runs([m.group().lower() for m in matches])
        leaked = {word for at, run in enumerate(runs) if run in self._runs for word in range(at, at + RUN)}
        if not leaked:
            return text
        parts, end = [], 0
        for at in sorted(leaked):
            if at - 1 not in leaked:
                parts += [text[end : matches[at].start()], WITHHELD]
            end = matches[at].end()
        return "".join([*parts, text[end:]])

    def without_all(self, value: object) -> object:
        """JSON with every text in it passed through."""
        if isinstance(value, str):
            return self.without(value)
        if isinstance(value, dict):
            return {name: self.without_all(item) for name, item in value.items()}
        return [self.without_all(item) for item in value] if isinstance(value, list | tuple) else value


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
