"""Which of the measured signals a clause names, by their own names and by the words that people use for them."""

import re
from collections.abc import Iterable
from functools import lru_cache

_WORDS = {
    "latency": r"latenc\w+|p\d\d|response times?|slow\w*",
    "errors": r"errors?|error (?:rate|ratio|share)|fail\w*",
    "cpu": r"cpus?|processors?|cores?",
    "memory": r"memory|heap|ram|rss",
    "queue": r"queues?|backlogs?",
    "connections": r"connections?|pools?",
    "restarts": r"restarts?|restarted",
    "traffic": r"traffic|load",
}
"""What a signal is called besides its own name."""


def signals_in(text: str, names: Iterable[str]) -> set[str]:
    """The signals of these names that a text speaks of."""
    return {name for name in names if _pattern(name).search(text)}


@lru_cache(maxsize=512)
def _pattern(name: str) -> re.Pattern[str]:
    own = re.escape(name.rstrip("s")).replace("_", "[ _-]") + "s?"
    return re.compile(rf"(?<![\w-])(?:{own}|{_WORDS.get(name, own)})(?![\w])", re.I)
