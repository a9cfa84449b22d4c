"""Values that a line says its program does not know: of an enumeration, a set of choices, a type."""

import re

_VALUE = r"([A-Za-z][\w.:/-]{1,59})"
_QUOTED = rf"[\"'`]{_VALUE}[\"'`]"
_KIND = r"(?:value|variant|enum|status|type|state|kind|choice|option|literal|code|member|constant)"
_REFUSED = re.compile(
    "|".join(
        (
            # Jackson: Cannot deserialize value of type `Status` from String "LIVE"
            rf"from string {_QUOTED}",
            # Java
            r"no enum constant [\w.$]+\.([A-Za-z]\w{1,59})",
            # Python's Enum, Django
            rf"{_QUOTED}:? (?:is )?not (?:one of|an? (?:valid|known|allowed)|in the (?:list|set))\b",
            # zod, pydantic
            rf"(?:enum|variant|choice|expected|validation)\b[^\n]{{0,80}}(?:received|got|input_value=|input:?) ?{_QUOTED}",
            # serde, Go
            rf"(?:un(?:known|recogni[sz]ed|expected|supported)|invalid|illegal)(?: [\w-]+){{0,3}} {_KIND}:? {_QUOTED}",
            # PostgreSQL
            rf"invalid input value for enum \w{{1,60}}: {_QUOTED}",
        )
    ),
    re.I,
)


def refused_values(line: str) -> list[str]:
    """The values that a line refuses, as it quotes them."""
    return list(dict.fromkeys(value for match in _REFUSED.finditer(line) for value in match.groups() if value))
