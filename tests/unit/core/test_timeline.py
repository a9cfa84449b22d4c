"""An entry of the timeline and whose it is."""

import pytest

from bot.core.timeline import EntryKind, TimelineEntry
from tests.unit.builders import NOW


@pytest.mark.parametrize(
    ("kind", "who", "text", "author"),
    [
        ("incident", "policy", "INC-1 was declared by policy: SEV2 Errors", ""),
        ("group", "tocsin", "Errors opened this group", ""),
        ("action", "bob", "AP-1 ran", "bob"),
        ("note", "bob", "bob said that the pool leaks", "bob"),
    ],
)
def test_nobody_is_named_twice_but_in_a_note(kind: EntryKind, who: str, text: str, author: str) -> None:
    assert TimelineEntry(id="T1", at=NOW, kind=kind, who=who, text=text).author == author
