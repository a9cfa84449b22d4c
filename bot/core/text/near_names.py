"""The name that is probably meant by one with a slip."""

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, names: Iterable[str]) -> str:
    """` (did you mean checkout?)` for a name that is among none of `names` and near one; else ""."""
    near = get_close_matches(name, list(names), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
