"""Where a storm may come from: the service that most of the firing services are, or depend on."""

from collections.abc import Mapping, Sequence

from bot.core.service import reachable

LEAST_SHARE = 0.6
"""Of the firing groups must lead to one service, or there is no single suspect."""


def suspected_origin(firing: Sequence[str], depends_on: Mapping[str, Sequence[str]]) -> tuple[str, int] | None:
    """The service and how many of the firing groups are on it or above it; None if no service stands out.

    `firing` has one service per firing group. Among services that explain the same number, the one that fires itself
    comes first, then the one that the fewest others stand below: the nearest common ground rather than the deepest.
    """
    reach = {service: reachable(service, depends_on) for service in set(firing) if service}
    counts = {one: sum(one in reach.get(service, ()) for service in firing) for one in set().union(*reach.values())}
    if len(firing) < 2 or not counts:
        return None
    best = min(counts, key=lambda one: (-counts[one], one not in reach, -len(reachable(one, depends_on)), one))
    return (best, counts[best]) if counts[best] >= max(2, LEAST_SHARE * len(firing)) else None
