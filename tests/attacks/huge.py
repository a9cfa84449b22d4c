"""Bodies, results and texts far beyond any size: cut, sampled or refused, and the bot goes on."""

from collections.abc import Iterator

from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import is_shown, twin


def postmortem_is_bounded(seen: Seen) -> Iterator[str]:
    """A draft of ten thousand messages is still one that people can read."""
    for message in seen.messages:
        if sum(len(str(block)) for block in message.get("blocks", [])) > 40_000:
            yield "BOUNDED: a message of more than 40,000 characters"


KIND = Kind("huge", (postmortem_is_bounded,), twin("huge", is_shown))
