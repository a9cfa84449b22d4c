"""How figures are printed: plain tables with what was asked for beside what was seen."""

import os
import platform
import sqlite3
from collections.abc import Sequence

from tests.bench.usage import load_average


def machine() -> str:
    """One line about where and when this ran."""
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{os.cpu_count()} cores, {platform.system()}, {versions}, load {load_average():.1f}"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one table as Markdown."""
    print(f"\n### {title} (load {load_average():.1f})\n", flush=True)
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(_shown, row)) + " |", flush=True)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def reached(value: float, limit: float, *, least: bool = False) -> str:
    """`yes` or `no`: at most `limit`, or with `least` at least."""
    return "yes" if (value >= limit if least else value <= limit) else "no"
