"""Foreign text made harmless: one line, limited, control and direction characters visible."""

import unicodedata

_VISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


def escape_controls(text: str) -> str:
    """Show control, format (bidi, zero-width, tag), surrogate and private characters as `\\u....` escapes.

    Newlines and tabs included: one input makes one record, never lines. The
    zero-width joiner and variation selectors of emoji stay, between symbols.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in "\u200d\ufe0f" or unicodedata.category(char) not in _VISIBLE_CATEGORIES:
        return char
    code = ord(char)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def one_line(text: str, limit: int = 300) -> str:
    """Foreign text as one line of at most `limit` characters: white space folded, controls escaped, cut with an ellipsis."""
    folded = escape_controls(" ".join(text.split()))
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def cut(text: str, limit: int) -> str:
    """Cut with an ellipsis; our own text."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """`1 alert`, `3 alerts`, `1,200 alerts`: a number with a noun whose plural takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
