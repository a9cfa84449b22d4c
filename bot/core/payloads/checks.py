"""Checks of hosts, as Nagios and its family send them: what they call a service is what is checked on a host."""

from collections.abc import Iterable, Sequence

from bot.core.payloads.leaves import Leaf
from bot.core.payloads.values import state_of

_OUTPUT, _STATE, _DESCRIPTION = ("service", "output"), ("service", "state"), ("service", "description")
_STATES, _HOST_STATES = (frozenset((thing, word) for word in ("state", "status")) for thing in ("service", "host"))


def is_check(leaves: Iterable[Leaf]) -> bool:
    """Whether the service of an alert is a check: it has an output, or a state beside its description.

    `CPU load` runs on every host: two of them are no outage of one service.
    """
    names = {_name(leaf) for leaf in leaves}
    return _OUTPUT in names or {_STATE, _DESCRIPTION} <= names


def without_host_state(leaves: Sequence[Leaf]) -> Sequence[Leaf]:
    """Without the state of the host that a check runs on: it is up as the check fails, and down as the check is unreachable."""
    of_check = any(_name(leaf) in _STATES and state_of(leaf.value) for leaf in leaves)
    return [leaf for leaf in leaves if _name(leaf) not in _HOST_STATES] if of_check else leaves


def _name(leaf: Leaf) -> tuple[str, ...]:
    return (*leaf.parent[-1:], *leaf.words)[-2:]
