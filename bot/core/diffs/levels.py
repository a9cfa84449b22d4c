"""Values of settings as numbers that can be compared: sizes, times, switches, log levels, schedules."""

import re

UNIT_OF_TIME = "the unit of a time"
"""The name of an effect whose values are the units of a number that itself may be the same."""
_PER = re.compile(r"(^|[_.])(unit|per|interval_?unit|time_?unit)$", re.I)
"""Names of the time in which so much is allowed."""
_TIMES = {"nano": 1e-9, "micro": 1e-6, "milli": 1e-3, "sec": 1.0, "min": 60.0, "hour": 3600.0, "day": 86400.0}
_WORD_OF_TIME = re.compile(r"(nano|micro|milli|sec|min|hour|day)(?:onds?|utes?|s|seconds?)?$")
_ENDING = re.compile(
    r"(?:(?<![A-Za-z])|(?<=[a-z])(?=M))([mM])[sS]$|([Mm]illi|[Ss]ec|[Mm]in|[Hh]our|[Dd]ay)(?:ond|ute|isecond)?s?$"
)
_MILLI = 1e-3
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FACTOR = re.compile(r"\s*\*\s*(\d+(?:\.\d+)?)(?![\w.])")
_VERBOSE = ("off", "never", "fatal", "error", "warn", "warning", "info", "debug", "trace")
_CRON = re.compile(r"^[\"']?((?:[\d*/,-]+\s+){4}[\w*/,-]+)[\"']?$")
_LAST_MINUTE = 59
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def is_time_of_rate(name: str) -> bool:
    """Whether a setting holds the time in which so much is allowed: more time means less."""
    return bool(_PER.search(name))


def unit_of(name: str) -> float:
    """The seconds of the unit that the name of a setting ends with (`ttlSeconds`, `timeout_ms`); 1 for none."""
    ending = _ENDING.search(name)
    return _MILLI if ending and ending.group(1) else _TIMES[ending.group(2).casefold()] if ending else 1.0


def level_of(text: str, name: str = "") -> float | None:
    """The value as a number: seconds of times and schedules, bytes of sizes, 1 or 0 of switches; None of anything else.

    `name`: of the setting. Processors are counted in thousandths with the ending that minutes have: `cpu: 250m`.
    """
    folded = text.casefold()
    if re.search(r"cpu|cores?$", name, re.I) and (share := re.match(r"[\"']?(\d+)m\b", folded)):
        return float(share.group(1)) * _MILLI
    if folded in _VERBOSE:
        return 2.0 ** _VERBOSE.index(folded)
    if folded in ("true", "on", "always", "false", "off"):
        return float(folded in ("true", "on", "always"))
    if unit := _WORD_OF_TIME.match(folded):
        return _TIMES[unit.group(1)]
    if (schedule := _CRON.match(folded)) and not _is_product(schedule.group(1)):
        return _seconds_between(schedule.group(1).split())
    number = re.sub(r"(?<=\d)_(?=\d)", "", text.lstrip("\"'"))
    match = _NUMBER.match(number)
    return _product(float(match.group()), number[match.end() :]) if match else None


def _is_product(text: str) -> bool:
    """Whether it is `6 * 60 * 60` and no schedule, which has no 60th minute, hour or day."""
    factors = text.split()[::2]
    return (
        text.split()[1::2] == ["*", "*"] and all(map(str.isdigit, factors)) and any(int(one) > _LAST_MINUTE for one in factors)
    )


def _product(level: float, rest: str) -> float:
    """The number with those that stand behind it as its factors, and its unit: `6 * 60 * 60`, `5 * time.Minute`."""
    while factor := _FACTOR.match(rest):
        level, rest = level * float(factor.group(1)), rest[factor.end() :]
    return level * _unit(rest)


def _unit(rest: str) -> float:
    """Seconds of a unit of time, bytes of a unit of memory; 1 for none."""
    units = (
        (r"^\s*\*?\s*(time\.)?milli|^ms", 0.001), (r"^\s*\*?\s*(time\.)?minute|^m(ins?)?$", 60.0),
        (r"^\s*\*?\s*(time\.)?hour|^h", 3600.0), (r"^d(ay)?", 86400.0), (r"^ki?b?$", 1e3), (r"^mi?b?$", 1e6), (r"^gi?b?$", 1e9),
    )  # fmt: skip
    return next((factor for pattern, factor in units if re.search(pattern, rest, re.I)), 1.0)


def _seconds_between(fields: list[str]) -> float:
    """The seconds between two runs of a schedule, as far as its minutes and hours tell."""
    for field, step in ((fields[0], _MINUTE), (fields[1], _HOUR)):
        if field.startswith("*"):
            every = re.match(r"\d+", field.partition("/")[2])
            return step * float(every.group() if every and int(every.group()) else 1)
        if "," in field:
            return step * 60 / len(field.split(","))
    return _DAY
