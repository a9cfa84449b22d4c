"""What a valid tocsin.yaml says about labels that cannot do what its writer means by it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from bot.core.config import Config

_PATTERN = re.compile(
    r"""
    \*                           # pay*, pay.*
    | \.\+                       # pay.+
    | ^ [!=]?~                   # Alertmanager's =~ and !~, written into the value
    | ^\^ | \$$                  # ^pay, pay$
    | \\[dwsbDWSB.]              # \d
    | \[ [^\]]* \w-\w [^\]]* \]  # web-[0-9]
    | \w\|\w                     # cart|checkout
    """,
    re.VERBOSE,
)
"""What stands in patterns, and hardly ever in a label's own value."""


def match_notices(config: Config) -> list[str]:
    """A line about each match that fits nothing by its looks, and about services that share one."""
    return [*_shared(config), *_patterns(config), *_empty(config)]


def _shared(config: Config) -> Iterator[str]:
    """Two services of one match: which of them an alert belongs to is decided by their names."""
    holders: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for name, service in config.services.items():
        if service.match:
            holders[frozenset(service.match.items())].append(name)
    for match, names in holders.items():
        if len(names) > 1:
            *others, last = sorted(names)
            written = ", ".join(f"{label}: {value}" for label, value in sorted(match))
            yield (
                f"services.{last}.match is that of {' and '.join(others)} too ({{{written}}}): what it fits goes to {last}, "
                f"the last by name, and nothing to {' or '.join(others)}; add a label that tells them apart"
            )


def _patterns(config: Config) -> Iterator[str]:
    for path, match in _matches(config):
        for label, value in match.items():
            if _PATTERN.search(value):
                yield (
                    f"{path}.{label}: {value!r} looks like a pattern, and a value is compared letter by letter: it fits no "
                    f"alert unless its {label} is exactly that; write the whole value, one entry for each"
                )


def _empty(config: Config) -> Iterator[str]:
    for part, entries in (("maintenance", config.maintenance), ("thresholds", config.thresholds)):
        for index, entry in enumerate(entries):
            if not entry.match:
                yield f"{part}.{index} has no `match`, so it mutes nothing: name the labels of the alerts that it is for"
    for index, inhibition in enumerate(config.inhibitions):
        for side, match in (("source", inhibition.source), ("target", inhibition.target)):
            if not match:
                yield f"inhibitions.{index}.{side} is empty, so it mutes nothing: name the labels of the alerts that it is for"


def _matches(config: Config) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each mapping of labels that have to be equal, with its path."""
    for name, service in config.services.items():
        yield f"services.{name}.match", service.match
    for name, source in config.sources.items():
        for index, rule in enumerate(source.fingerprint):
            yield f"sources.{name}.fingerprint.{index}.match", rule.match
    for part, entries in (("maintenance", config.maintenance), ("thresholds", config.thresholds)):
        for index, entry in enumerate(entries):
            yield f"{part}.{index}.match", entry.match
    for index, inhibition in enumerate(config.inhibitions):
        yield f"inhibitions.{index}.source", inhibition.source
        yield f"inhibitions.{index}.target", inhibition.target
