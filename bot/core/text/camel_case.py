"""Names of alerts and signals as words."""

import re

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")


def separated(name: str) -> str:
    """`HighErrorRate` as `High Error Rate`, `PodOOMKilled` as `Pod OOM Killed`."""
    return _HUMP.sub(" ", name)


def named_by(words: str, *, parts: str = "") -> re.Pattern[str]:
    """Finds in a separated name any of these whole words (a pattern), in whatever case; of `parts` also within a longer word.

    Whole words: `oom` is not what makes RoomBookingErrors fail. What stands in no other word may be a part, so that names
    in small letters (`highcpu`) are read too.
    """
    whole = rf"(?<![a-z])(?:{words})(?![a-z])"
    return re.compile(f"{parts}|{whole}" if parts else whole, re.IGNORECASE)
