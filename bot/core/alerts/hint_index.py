"""Open groups by what their members have in common."""

from collections.abc import Collection

from bot.core.alerts.grouping import Hint, OpenGroup


class HintIndex:
    """Most hints are those of one alert and so of one group, which stands alone: sets would take most of the memory."""

    def __init__(self) -> None:
        self._groups: dict[Hint, OpenGroup | set[OpenGroup]] = {}

    def of(self, hint: Hint) -> Collection[OpenGroup]:
        """The groups with a member that has this hint."""
        groups = self._groups.get(hint, ())
        return (groups,) if isinstance(groups, OpenGroup) else groups

    def add(self, hint: Hint, group: OpenGroup) -> None:
        """A member of the group has this hint."""
        before = self._groups.setdefault(hint, group)
        if isinstance(before, set):
            before.add(group)
        elif before is not group:
            self._groups[hint] = {before, group}

    def discard(self, hint: Hint, group: OpenGroup) -> None:
        """No member of the group has this hint any more."""
        groups = self._groups.get(hint)
        if isinstance(groups, set):
            groups.discard(group)
        if groups is group or not groups:
            self._groups.pop(hint, None)
