"""How long a text is for whoever reads it: in words, not in characters."""


def word_count(text: str) -> int:
    """The words of a text: what holds a letter or a digit. `5.0.3`, `22:55:04` and `AL-1` are one each, `→` and `·` none."""
    return sum(any(char.isalnum() for char in word) for word in text.split())


def within_words(text: str, most: int) -> str:
    """The text with its first `most` words, an ellipsis where others were cut."""
    pieces, count = text.split(), 0
    for index, piece in enumerate(pieces):
        count += word_count(piece)
        if count > most:
            return " ".join(pieces[:index]).rstrip(",;:.") + "…"
    return " ".join(pieces)
