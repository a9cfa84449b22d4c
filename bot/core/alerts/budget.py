"""The budget of new groups: how many a source may open a minute, and what becomes of the rest."""

from datetime import timedelta

from bot.core.alerts.grouping import GroupingReason, Membership

WINDOW = timedelta(minutes=1)


def overflow_membership(source: str, budget: int) -> Membership:
    """Why an alert is in the group of what its source sent beyond its budget."""
    return Membership(GroupingReason.OVER_BUDGET, f"{source} opened more than {budget:,} groups within a minute")


def overflow_title(source: str, budget: int) -> str:
    """The title of that group."""
    return f"More from {source}: beyond {budget:,} new groups a minute"
