"""By what an approval or a grant is judged at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.approvals.roster import Roster


@dataclass(frozen=True)
class Authority:
    """Rotas and configuration, the action versions by catalogue entry, and people whose accounts no longer count."""

    roster: Roster
    versions: Mapping[str, str]
    without: frozenset[str] = frozenset()
