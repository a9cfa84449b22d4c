"""Attempts a triage anew when a change comes to light that may be the cause: the same message then shows it."""

from bot.ports import Engine
from bot.store.triage.late_changes import LateChanges


async def attempt_anew(late: LateChanges, engine: Engine) -> list[str]:
    """Start what is due; harmless when repeated, since an attempt has one id. The groups' references."""
    due = await late.due()
    for again in due:
        id = f"triage:{again.group}:{again.attempt}"
        await engine.start("triage", id, again.group, again.attempt, again.question, again.requester, list(again.changes))
    return [again.group for again in due]
