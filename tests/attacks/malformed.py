"""Bodies that no sender should send: refused with a reason or set aside, kept, and the alerts beside them are stored."""

from collections.abc import Iterator

from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import is_shown, twin


def doubts(seen: Seen) -> Iterator[str]:
    """What was not as it must be while the bodies were sent."""
    yield from seen.doubts


KIND = Kind("malformed", (doubts,), twin("malformed", is_shown))
