"""Values that a line says its program does not know: of an enumeration, a set of choices, a type."""

import re

_VALUE = r"([A-Za-z][\w.:/-]{1,59})"
_QUOTED = rf"[\"'`]{_VALUE}[\"'`]"
_REFUSED = re.compile(
    "|".join(
        (
            rf"from string {_QUOTED}",  # Jackson: Cannot deserialize value of type `Status` from String "LIVE"
            r"no enum constant [\w.$]+\.([A-Za-z]\w{1,59})",  # Java: No enum constant shop.Status.LIVE
            rf"{_QUOTED}:? (?:is )?(?:not one of|not an? (?:valid|known|allowed)|not (?:valid|known|allowed|in))\b",
            rf"(?:received|got|input_value=|input:?) ?{_QUOTED}",  # zod, pydantic
            rf"(?:unknown|unrecogni[sz]ed|unexpected|unsupported|invalid|illegal)(?: [\w-]+){{0,3}}:? {_QUOTED}",  # serde, Go
        )
    ),
    re.I,
)


def refused_values(line: str) -> list[str]:
    """The values that a line refuses, as it quotes them."""
    return list(dict.fromkeys(value for match in _REFUSED.finditer(line) for value in match.groups() if value))
