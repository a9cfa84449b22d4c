"""Prometheus' text format (version 0.0.4) of the current values."""

import math
from collections.abc import Iterable

import numpy as np

from bot.sandbox.world.tables import Table

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Rows that a scraper makes by itself.
_SCRAPERS_OWN = ("up", "ALERTS")


def quote(text: str) -> str:
    """A label value as the format wants it."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def number(value: float) -> str:
    """A sample value as Prometheus writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and 0 < abs(value) < 1e15:
        return str(int(value))
    # Shortest, without an exponent and with the sign of zero.
    return np.format_float_positional(value, trim="-")


def render(tables: Iterable[Table]) -> str:
    """All living series; a histogram's three families share one header, as the format demands."""
    lines: list[str] = []
    described = ""
    for table in tables:
        family = table.family
        if family.name in _SCRAPERS_OWN:
            continue
        title = family.title
        if title != described:
            lines += [f"# HELP {title} {family.help}", f"# TYPE {title} {family.kind}"]
            described = title
        for labels, value in table.current():
            inside = ",".join(f'{name}="{quote(text)}"' for name, text in labels.items())
            lines.append(f"{family.name}{{{inside}}} {number(value)}")
    return "\n".join(lines) + "\n"
