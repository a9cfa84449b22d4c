"""Checks of hosts, as Nagios and its family send them: what they call a service is what is checked on a host."""

from collections.abc import Iterable

from bot.core.payloads.leaves import Leaf

_OUTPUT, _STATE, _DESCRIPTION = ("service", "output"), ("service", "state"), ("service", "description")


def is_check(leaves: Iterable[Leaf]) -> bool:
    """Whether the service of an alert is a check: it has an output, or a state beside its description.

    `CPU load` runs on every host: two of them are no outage of one service.
    """
    names = {(*leaf.parent[-1:], *leaf.words)[-2:] for leaf in leaves}
    return _OUTPUT in names or {_STATE, _DESCRIPTION} <= names
