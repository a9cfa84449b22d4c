"""Tests know nothing of the place where they run: no proxy, no terminal, no bot's or model's own settings."""

import os

LIVE = "TOCSIN_LIVE_"
"""The tokens of a real workspace, which somebody sets for the tests."""
TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "PY_COLORS", "NO_COLOR", "GITHUB_ACTIONS", "_TYPER_FORCE_DISABLE_TERMINAL")
"""By these Typer and Rich break lines and colour them, also where nobody looks."""


def foreign(name: str) -> bool:
    """Whether a variable would reach what is tested: the servers of tests are on loopback, and no proxy leads to them."""
    ours = name.startswith(("TOCSIN_", "OPENAI_")) and not name.startswith(LIVE)
    return ours or name in TERMINAL or name.lower().endswith("_proxy")


for name in [name for name in os.environ if foreign(name)]:
    del os.environ[name]
