"""Names of alerts and signals as words."""

import re

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def separated(name: str) -> str:
    """`HighErrorRate` as `High Error Rate`."""
    return _HUMP.sub(" ", name)
