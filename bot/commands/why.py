"""The evidence."""

from bot.commands._subject import subject_of
from bot.plugins import Reply, Request, command
from bot.store.slack import message_states as views
from bot.workflows.command_context import CommandContext


@command("why", usage="why [n] [AL-3]")
async def why(ctx: CommandContext, request: Request) -> Reply:
    """Show the evidence behind hypothesis n, with the queries to run again."""
    subject = await subject_of(ctx, request)
    async with ctx.db.read() as session:
        triage = await views.load(session, "triage", subject.group) if subject.group else None
    if triage is None:
        return Reply(f"{subject.ref} was not triaged yet. The verb investigate starts it.")
    found = (triage["findings"] or {}).get("hypotheses", [])
    if not found:
        running = triage["triage_state"] in ("facts", "investigating")
        return Reply(
            "The triage is still looking; its facts stand in the thread."
            if running
            else "No cause was found; the facts stand in the thread."
        )
    number = request.text.strip().lstrip("#") or "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(found):
        which = "1 hypothesis: write why 1" if len(found) == 1 else f"{len(found)} hypotheses: write why 1 to why {len(found)}"
        return Reply(f"{subject.group} has {which}.")
    state = {
        "ref": subject.group,
        "n": int(number),
        "count": len(found),
        "hypothesis": found[int(number) - 1],
        "evidence": triage["evidence"],
        "ruled_out": triage["findings"].get("ruled_out", []),
    }
    return Reply(f"Evidence for hypothesis {number}", view="why", subject=state)
