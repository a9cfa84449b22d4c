"""Names and titles, drawn from the same lists for guilty and innocent changes: a title gives nothing away."""

import random
from typing import NamedTuple

from bot.sandbox.world.change import Kind

AUTHORS = ("alice", "bob", "carol", "dave")
DEPLOY_TITLES = (
    "Use the pooled HTTP client for outgoing calls",
    "Round totals after discounts, not before",
    "Read the locale from the session",
    "Batch look-ups by product id",
    "Replace the home-grown cache by the shared one",
    "Upgrade the web framework and its middleware",
    "Emit order events with a schema version",
    "Drop support for legacy voucher codes",
    "Move validation into the domain layer",
    "Trim trailing whitespace in addresses",
    "Log correlation ids on every request",
    "Make retries jittered",
)
CONFIG_TITLES = (
    "Tune timeouts of outgoing calls",
    "Raise log sampling to 20 %",
    "Move to the new internal host names",
    "Align rate limits with the capacity sheet",
    "Shorten keep-alive of idle connections",
)
FLAGS = (
    "bundle-pricing",
    "regional-tax",
    "new-rounding",
    "express-slots",
    "variant-b",
    "soft-holds",
    "quick-view",
    "guest-lists",
)
MODEL_TITLES = ("Ranking model of this week", "Retrained ranking on the summer season")


class Wording(NamedTuple):
    """What one change is called."""

    title: str
    flag: str = ""


def draw_title(kind: Kind, chooser: random.Random) -> Wording:
    """A title for a change of this kind; a flag's change also has the flag's name."""
    match kind:
        case "deploy":
            return Wording(chooser.choice(DEPLOY_TITLES))
        case "config":
            return Wording(chooser.choice(CONFIG_TITLES))
        case "model":
            return Wording(chooser.choice(MODEL_TITLES))
        case "flag":
            flag = chooser.choice(FLAGS)
            return Wording(f"Switch on {flag} for everyone", flag)


def next_version(version: str) -> str:
    """The next minor version: 2.7.4 becomes 2.8.0."""
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"
