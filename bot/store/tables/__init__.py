"""All tables, one file for each package that owns them: whoever imports one row has the whole metadata."""

# A package may read another's rows, so the tables lie below all of them. References that people see (`AL-3`, `INC-3`, `AP-3`)
# are made from the integer keys; keys are never reused.
from bot.store.tables.alerts import (
    AlertRow,
    CallReadRow,
    CallRow,
    CascadeRow,
    CursorRow,
    EpisodeRow,
    GroupingRuleRow,
    GroupRow,
    HeartbeatRow,
    RepeatRow,
    SilenceRow,
    SourceRow,
    UnreadableRow,
)
from bot.store.tables.answers import PostmortemRow, QuestionRow
from bot.store.tables.approvals import (
    AttemptRow,
    BreakGlassRow,
    ClaimRow,
    DecisionRow,
    PolicyRow,
    ProposalRow,
    SuggestionRow,
    SwitchRow,
)
from bot.store.tables.history import AuditRow, TimelineRow
from bot.store.tables.incidents import CauseRow, IncidentRow
from bot.store.tables.oversight import PageRow
from bot.store.tables.slack import MessageRow, PictureRow, SeenRow, UsergroupRow
from bot.store.tables.triage import ChangeRow, EvidenceRow, FrozenCaseRow, TriageRow

__all__ = [
    "AlertRow",
    "AttemptRow",
    "AuditRow",
    "BreakGlassRow",
    "CallReadRow",
    "CallRow",
    "CascadeRow",
    "CauseRow",
    "ChangeRow",
    "ClaimRow",
    "CursorRow",
    "DecisionRow",
    "EpisodeRow",
    "EvidenceRow",
    "FrozenCaseRow",
    "GroupRow",
    "GroupingRuleRow",
    "HeartbeatRow",
    "IncidentRow",
    "MessageRow",
    "PageRow",
    "PictureRow",
    "PolicyRow",
    "PostmortemRow",
    "ProposalRow",
    "QuestionRow",
    "RepeatRow",
    "SeenRow",
    "SilenceRow",
    "SourceRow",
    "SuggestionRow",
    "SwitchRow",
    "TimelineRow",
    "TriageRow",
    "UnreadableRow",
    "UsergroupRow",
]
