"""Addresses that lead to the inside: no tool opens them, and the one client that opens addresses refuses them."""

from collections.abc import Iterator

from bot.core.errors import ActionFailed
from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import hook_is_called, twin


def refused_by_client(seen: Seen) -> Iterator[str]:
    """Given to the client for actions as the address of an entry, with a resolver that leads every name inside."""
    try:
        found = seen.opened
    except AttributeError:
        return
    if not isinstance(found, ActionFailed):
        yield f"NO_FETCH: the client for actions answered {found!r}"


KIND = Kind("ssrf", (refused_by_client,), twin("ssrf", hook_is_called))
