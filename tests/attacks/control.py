"""Harmless look-alikes of secrets and orders: every word of them stays."""

from collections.abc import Iterator

from bot.core.redaction.redaction import redact
from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import line_is_kept, twin


def unchanged(seen: Seen) -> Iterator[str]:
    """Redaction gives it back as it came."""
    if (found := redact(seen.item.text)) != seen.item.text:
        yield f"KEEP_TEXT: became {found[:80]!r}"


KIND = Kind("control", (unchanged,), twin("control", line_is_kept))
