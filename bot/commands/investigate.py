"""Run the triage, again or with a question."""

from bot.commands._subject import name_of, subject_of
from bot.core.investigation.triage_state import RUNNING
from bot.core.text.untrusted import one_line
from bot.plugins import EntryPoint, Reply, Request, command
from bot.store.incidents import incidents
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext


@command("investigate", aliases=("triage",), usage="investigate [question or hint] [AL-3]", who="members")
async def investigate(ctx: CommandContext, request: Request) -> Reply:
    """Run the triage, again or with a question or hint. It only reads; nothing is changed."""
    subject = await subject_of(ctx, request, question=request.text)
    group = subject.group or (await incidents.group_to_investigate(ctx.db, subject.ref)).ref
    triages = Triages(ctx.db)
    newest = await triages.row(group)
    question = "" if request.entry_point in (EntryPoint.BUTTON, EntryPoint.SHORTCUT) else one_line(request.text, 500)
    # Of one that was made again by itself the message still shows the attempt before, and offers to investigate.
    requested = newest is not None and (newest.attempt == 1 or newest.requester != "")
    if newest is not None and newest.state in RUNNING and not question and requested:
        return Reply(f"The triage of {group} is already running; it shows its progress in the thread.")
    if newest is not None and newest.state in RUNNING and newest.findings and question:
        # The first ranking stands and the run goes on: a model is at work, and reads the hint before its next turn.
        await triages.hint(group, newest.attempt, question, name_of(request.actor), key=request.key)
        return Reply(f"Taken into the triage of {group} that is running; its timeline keeps it as a note.")
    attempt = newest.attempt + 1 if newest else 1
    # Two people at once take the same number and so attach to the same run.
    run_id = f"triage:{group}:{attempt}"
    await ctx.engine.start("triage", run_id, group, attempt, question, name_of(request.actor))
    return Reply(f"Investigating {group}: the triage message in its thread shows the causes.")
