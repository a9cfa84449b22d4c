"""Other services that log lines name."""

import re
from collections.abc import Collection, Iterable


def named_services(texts: Iterable[str], services: Collection[str]) -> set[str]:
    """Those of the services whose names stand in the texts as whole words, the dots and ports of an address aside."""
    if not services:
        return set()
    names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])({names})(?![\w-])", re.I)
    folded = {name.casefold(): name for name in services}
    return {folded[match.casefold()] for text in texts for match in pattern.findall(text)}
