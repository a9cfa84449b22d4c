"""Times of a diff: another unit under a number, days and dates that are calculated otherwise, another zone or clock."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import counted_names
from bot.core.diffs.levels import UNIT_OF_TIME
from bot.core.diffs.patches import Patch, all_lines, both_sides
from bot.core.facts.code import EffectFact

_WORDS = r"nanos(?:econds?)?|micros(?:econds?)?|millis(?:econds?)?|sec(?:ond)?s?|min(?:ute)?s|hours?|days?"
_UNIT = re.compile(rf"(?:(?<![a-z])|(?<=of)|(?<=from))({_WORDS})(?![a-z])", re.I)
_FACTOR = re.compile(r"(?:\*\s*(?:\w+[.:]+)*|\bof|\bfrom_?)(nano|micro|milli|second|minute|hour)s?(?:econds?)?\b", re.I)
"""A number that is given its unit: `* time.Millisecond`, `Duration.ofSeconds(`, `from_millis(`."""
_NAMED = re.compile(r"[a-z0-9]_?(nano|micro|milli|second|minute|hour)s?(?:econds?)?(?![a-z])", re.I)
"""A name that ends in its unit: `query_timeout_seconds`."""
_OF_TIMES = re.compile(
    r"time_?out|deadline|duration|delay|interval|ttl|expir|(?<![a-z])(?:wait|period|age)(?![a-z])|(?:max|Max)_?(?:age|Age|wait|Wait)",
    re.I,
)
_NUMBER_WITH_UNIT = re.compile(r"([A-Za-z_]\w*)\)?\s*\*\s*(?:\w+[.:]+)*(?:nano|micro|milli|second|minute|hour)", re.I)
"""A named number and its unit: `TimeoutMS) * time.Millisecond`."""
_FACTOR_BEFORE = re.compile(r"\b(?:nano|micro|milli|second|minute|hour)\w*\s*\*", re.I)
_WITHOUT_UNIT = re.compile(r"\btime\.Duration\([\w.]*(?i:ttl|time_?out|expir|interval|wait|delay|age)[\w.]*\)(?!\s*\*)")
"""A time of Go that counts its number in nanoseconds."""
_THOUSANDTH = re.compile(r"(?<=[\w)\]])\s*(?://?\s*(?:1000|1_000|1e3)(?:\.0*)?|\*\s*0\.001)(?![\w.])")
_OF_RATE = re.compile(r"[a-z]_per_(ms|sec|second|min|minute|hour)(?![a-z])", re.I)
"""The end of a name that says how much there is in a time."""
_RATE_UNITS = {"ms": "milli", "sec": "second", "second": "second", "min": "minute", "minute": "minute", "hour": "hour"}
_MEASURED = re.compile(r"elapsed|start|now\(|observe|histogram|record|metric|perf_counter", re.I)
"""What is measured and not set."""
_EXPIRES = re.compile(r"ttl|expir", re.I)
_IN_SECONDS = re.compile(r"(?<![a-z])(?:setex|expire|expireat)\W|\bex=|\bEX\b", re.I)
_IN_MILLIS = re.compile(r"(?<![a-z])(?:psetex|pexpire|pexpireat)\W|\bpx=|\bPX\b", re.I)
"""Commands and arguments of Redis that take how long an entry lives: https://redis.io/docs/latest/commands/set/"""

_EPOCHS = (
    ("millis", re.compile(r"UnixMilli|epoch_?milli|currentTimeMillis|Date\.now\(|\.getTime\(|unix_?ms\b", re.I)),
    ("seconds", re.compile(r"\.Unix\(|epoch_?sec|\bunix_?timestamp\b", re.I)),
)
_DATES = re.compile(
    r"\b(?:relativedelta|timedelta\((?:days|weeks)|strftime|strptime|ofPattern|SimpleDateFormat|DateTimeFormatter\.\w+|ISO_LOCAL_DATE\w*|"
    r"(?:plus|minus|add|sub)_?(?:Days|Weeks|Months|Years|days|months|years)|with(?:DayOf\w+|Month|Year)|"
    r"replace\((?:year|month|day)=|set(?:Date|Month|FullYear|UTCDate)|get(?:Day|Date|Month|Year|FullYear)|date_trunc|to_char|"
    r"DATE_FORMAT|startOf|endOf|beginning_of_\w+|end_of_\w+|[A-Za-z]+Of(?:Day|Week|Month|Year))\b|[\"'](?:YYYY|yyyy|%Y)[^\"']{2,20}[\"']"
)
"""How days and dates are calculated and written."""
_ZONE = re.compile(
    r"time_?zone|zone_?(?:id|info|offset)|(?<![a-z])zone$|at_?zone|zoned|tzinfo|(?<![a-z])utc|local_?(?:date|time)|in_?location|load_?location|system_?(?:utc|default)",
    re.I,
)
_HANDLES_TIMES = re.compile(r"(?<!run)time(?!_?out)|(?<!up)date|(?<![a-z])now\(|pars(?:e|ing)|format", re.I)


def times(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """All that changes a time or a moment."""
    yield from units(patches)
    yield from (effect for read in (zones, dates, epochs) for patch in patches for effect in read(patch))


def units(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Another unit for the same number, a unit that is gone, or one that is not what the name of the number says."""
    for patch in patches:
        before, after = both_sides(patch, lambda lines: {unit.casefold() for line in lines for unit in _UNIT.findall(line)})
        if len(before - after) == len(after - before) == 1:
            (old,), (new,) = before - after, after - before
            yield effect_fact("timeout", UNIT_OF_TIME, patch.path, old, new)
    removed, added = all_lines(patches)
    rates = [{unit.casefold() for line in lines for unit in _OF_RATE.findall(line)} for lines in (removed, added)]
    if rates[0] and rates[1] and not rates[0] & rates[1]:
        yield effect_fact("limit", "the unit of a rate", "", *(f"1 {_RATE_UNITS[min(units)]}" for units in rates))
    for patch in patches:
        yield from _lifetimes(patch)
        yield from _divided_by_thousand(patch)
    lost, factors = list(_with_units(_FACTOR, removed)), list(_with_units(_FACTOR, added))
    numbers = counted_names(added)
    for unit, line in lost if not (factors or any(map(_FACTOR_BEFORE.search, added))) else ():
        same = any(_OF_TIMES.search(name) and numbers[name] for name in _NUMBER_WITH_UNIT.findall(line))
        if same or any(_WITHOUT_UNIT.search(other) for other in added):
            yield effect_fact("cache" if _EXPIRES.search(line) else "timeout", UNIT_OF_TIME, "", f"1 {unit}")
            return
    named = [unit for unit, _ in _with_units(_NAMED, added) if factors and unit != factors[0][0]]
    if named and not lost:
        yield effect_fact("timeout", UNIT_OF_TIME, "", f"1 {named[0]}", f"1 {factors[0][0]}")


def _divided_by_thousand(patch: Patch) -> Iterator[EffectFact]:
    """A time that is read in thousandths of what it was read in: who wrote it still means the unit before."""
    old, new = both_sides(
        patch, lambda lines: [line for line in lines if _OF_TIMES.search(line) and not _MEASURED.search(line)]
    )
    for before, after in ((one, other) for one in old for other in new if _numberless(one) == _numberless(other)):
        divided, divides = bool(_THOUSANDTH.search(before)), bool(_THOUSANDTH.search(after))
        if divided != divides:
            longer, shorter = "1 second", "1 milli"
            yield effect_fact("timeout", UNIT_OF_TIME, patch.path, *((longer, shorter) if divides else (shorter, longer)))


def _numberless(line: str) -> str:
    """A line without its numbers and without a division by a thousand."""
    return re.sub(r"[\d._]+|\s", "", _THOUSANDTH.sub("", line))


def _lifetimes(patch: Patch) -> Iterator[EffectFact]:
    """How long an entry lives, in milliseconds where it was in seconds, or the other way round."""
    units_of = (("1 second", _IN_SECONDS), ("1 milli", _IN_MILLIS))
    old, new = ([unit for unit, pattern in units_of if any(map(pattern.search, side))] for side in (patch.removed, patch.added))
    if len(old) == len(new) == 1 and old != new:
        yield effect_fact("cache", UNIT_OF_TIME, patch.path, old[0], new[0])


def _with_units(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Units of times, each with its line."""
    return ((unit.casefold(), line) for line in lines if _OF_TIMES.search(line) for unit in pattern.findall(line))


def epochs(patch: Patch) -> Iterator[EffectFact]:
    """Moments that were counted in thousandths of a second and are in seconds now, or the other way round."""
    removed, added = (
        {unit for unit, pattern in _EPOCHS if any(map(pattern.search, side))} for side in (patch.removed, patch.added)
    )
    if len(removed) == len(added) == 1 and removed != added:
        yield effect_fact("clock", "the unit of a moment", patch.path, *removed, *added)


def dates(patch: Patch) -> Iterator[EffectFact]:
    """A day or date that is calculated, or written, otherwise."""
    before, after = both_sides(patch, lambda lines: {text for line in lines for text in _DATES.findall(line)})
    if before and after and before != after:
        changed = sorted(after - before) or sorted(before - after)
        yield effect_fact("clock", changed[0].strip("\"'"), patch.path)


def zones(patch: Patch) -> Iterator[EffectFact]:
    """Another time zone, or another clock that says which day it is."""
    before, after = both_sides(patch, lambda lines: {name for name in counted_names(lines) if _ZONE.search(name)})
    # Where a place is gone, times are still read or written: else the code that did so is gone.
    changed = sorted((before | after) - (before & after)) if after or any(map(_HANDLES_TIMES.search, patch.added)) else []
    if before and changed:
        yield effect_fact("clock", changed[0], patch.path)
