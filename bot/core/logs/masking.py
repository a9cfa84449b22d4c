"""What differs from line to line of one kind of log line, masked: numbers, ids, moments, addresses."""

import re

MASK = "<*>"
_MAX_LINE = 300
_DAYS, _MONTHS = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"
_WORDY_DATE = re.compile(
    rf"\b(?:{_DAYS},? )?{_MONTHS} {{1,2}}\d{{1,2}}(?:,? \d{{4}})?(?:,? {_CLOCK})?(?: [A-Z]{{3,4}}\b)?(?: \d{{4}}\b)?"
)
"""`Sat Jun 11 03:28:22 2005`: a date with names in it, which masking digits alone would leave."""
_HOST_WITH_PORT = re.compile(r"\b[A-Za-z][\w-]{0,62}(?:\.[A-Za-z][\w-]{0,62}){1,8}:(?=\d{2,5}\b)")
_WORDS = re.compile(r"[\w%µ]+|\W+")
_HAS_DIGIT = re.compile(r"\d")
_POD_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
"""The random end of a pod's name: Kubernetes draws it from these letters."""
_STATUS = re.compile(r"[1-5]\d\d")
_STATUS_NAMES = frozenset({"status", "code", "http", "returned", "answered", "status_code"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def masked(text: str) -> str:
    """The line with every word that holds a digit masked, dates and hosts with ports as well, white space folded.

    The HTTP status stays where a word says that it is one, or after a method. Linear in the length, whatever the text is.
    """
    text = " ".join(text[:_MAX_LINE].split())
    return _without_numbers(_HOST_WITH_PORT.sub("0:", _WORDY_DATE.sub("0", text)))


def _without_numbers(text: str) -> str:
    parts: list[str] = []
    name = method = ""
    for word in _WORDS.findall(text):
        random = _HAS_DIGIT.search(word) or (parts[-2:] == [MASK, "-"] and _POD_SUFFIX.fullmatch(word))
        # Of a request's numbers the first that stands alone is its status; those in its path are joined by slashes.
        announced = name in _STATUS_NAMES or (method and parts[-1].endswith(" "))
        if not random or (announced and _STATUS.fullmatch(word)):
            parts.append(word)
            method = "" if random else method or (word if word in _METHODS else "")
        elif not _continues(parts):
            parts.append(MASK)
        name = word.lower() if word[0].isalnum() else name
    return "".join(parts)


def _continues(parts: list[str]) -> bool:
    """True after a mask and a joining character, so that `10.2.0.7` and `2026-01-05` are one mask, not four."""
    if len(parts) >= 2 and parts[-2] == MASK and parts[-1] in (".", "-", ":", "+"):
        parts.pop()
        return True
    return False
