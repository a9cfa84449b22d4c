"""Untrusted text made harmless: one line, limited, control and direction characters visible."""

import unicodedata

_VISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and signs that are invisible: fillers, joiners, a braille pattern without dots."""
TYPED_QUOTES = str.maketrans(dict.fromkeys("“”„«»‟", '"'))
"""Phones insert typographic quotes by themselves: for `str.translate`."""
_OF_EMOJI = "\u200d\ufe0f"
MAX_MARKS = 4
"""Combining marks in a row that a script may need; more of them cover the lines above."""


def escape_controls(text: str) -> str:
    """Show control, format (bidi, zero-width, tag), surrogate, private and empty-looking characters as `\\u....` escapes.

    Newlines and tabs included: one input makes one record, never lines. The
    zero-width joiner and variation selectors of emoji are kept unless they follow
    a plain letter; at most four combining marks in a row are kept.
    """
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for before, char in zip(" " + text, text, strict=False):
        marks = marks + 1 if unicodedata.category(char) == "Mn" else 0
        shown.append(_escaped(char) if _hidden(char, before) or marks > MAX_MARKS else char)
    return "".join(shown)


def _hidden(char: str, before: str) -> bool:
    """Whether this character is invisible after the one before it."""
    if char in _OF_EMOJI:
        return before.isascii() and before.isalpha()
    return (
        unicodedata.category(char) in _VISIBLE_CATEGORIES
        or char in _BLANK
        or "\ufe00" <= char <= "\ufe0d"
        or char >= "\U000e0000"
    )


def _escaped(char: str) -> str:
    code = ord(char)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def one_line(text: str, limit: int = 300) -> str:
    """Untrusted text as one line of at most `limit` characters: white space folded, controls escaped, cut with an ellipsis."""
    folded = escape_controls(" ".join(text.split()))
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def cut(text: str, limit: int) -> str:
    """Trusted text, cut with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """`1 alert`, `3 alerts`, `1,200 alerts`: a number with a noun whose plural takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
