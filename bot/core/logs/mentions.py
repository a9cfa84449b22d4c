"""Other services that log lines name."""

import re
from collections.abc import Collection, Iterable

_INSTANCE = r"-\d{1,4}|-[0-9a-f]{6,10}-[a-z0-9]{5}"
"""`kafka-2`, `cart-7c9d8f6b5d-x2x9q`: what stands behind a service's name in that of a broker or pod."""
_COMPOUND = re.compile(r"[a-z0-9][-_.][a-z0-9]|\d|[a-z](?:service|svc|api|db)$", re.I)
"""A name that stands in a line by no chance; `portal` may be any word."""
_BEFORE = (
    r"(?<=//)|(?<=[=@\"'`(\[/:|,])|(?<=\bupstream )|(?<=\blookup )|(?<=\bhost )|(?<=\bpeer )|(?<=\bservice )|(?<=\bserver )|"
    r"(?<=\bcalling )|(?<=\bcall to )|(?<=\brequest to )|(?<=\bconnect to )|(?<=\bconnecting to )|"
    r"(?<=\bconnection to )|(?<=\bfrom )"
)
_AFTER = (
    r"(?=:\d)|(?=\.[a-z])|(?=/)|(?=[\"'`)\]])|(?= (?:failed|fails|timed out|timeout|unavailable|answered|returned|responded|"
    r"refused|rejected|unreachable|status|error|is (?:down|unavailable|not))\b)|(?=: )"
)
"""What stands before or behind a name that is a common word where a program names whom it calls."""


def named_services(texts: Iterable[str], services: Collection[str]) -> set[str]:
    """Those of the services whose names stand in the texts as whole words: dots, ports and the number of an instance aside.

    A name that is a common word counts where it stands as that of somebody who is called.
    """
    compound = [name for name in services if _COMPOUND.search(name)]
    common = [name for name in services if not _COMPOUND.search(name)]
    texts = list(texts)
    named = _named(texts, compound, r"(?<![\w-])({names})(?:{instance})?(?![\w-])")
    for form in (
        rf"(?:{_BEFORE})({{names}})(?:{{instance}})?(?![\w-])",
        rf"(?<![\w-])({{names}})(?:{{instance}})?(?:{_AFTER})",
    ):
        named |= _named(texts, common, form)
    return named


def _named(texts: Iterable[str], services: Collection[str], form: str) -> set[str]:
    if not services:
        return set()
    names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))
    pattern = re.compile(form.replace("{names}", names).replace("{instance}", _INSTANCE), re.I)
    folded = {name.casefold(): name for name in services}
    return {folded[match.casefold()] for text in texts for match in pattern.findall(text)}
