"""Read, export or rewrite the postmortem draft."""

from bot.commands._subject import subject_of
from bot.core.errors import NotFound
from bot.core.history.postmortem import PostmortemSection
from bot.core.messages.replies import PostmortemReply
from bot.plugins import Reply, Request, command
from bot.store.answers.postmortems import Postmortems
from bot.workflows.command_context import CommandContext


@command(
    "postmortem",
    aliases=("export",),
    usage="postmortem [regenerate] [export=md] [INC-3]",
    options=("export",),
    who="members",
)
async def postmortem(ctx: CommandContext, request: Request) -> Reply:
    """Read the postmortem draft, export it as Markdown, or have it written again."""
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident, so it has no postmortem. The verb declare makes it one.")
    if request.options.get("export", "md") != "md":
        return Reply("export takes md. Nothing was written.")
    word = request.text.strip().lower()
    if word not in ("", "regenerate") and request.entry_point.is_typed:
        raise NotFound(f"postmortem takes regenerate or export=md, not {word[:40]}. Nothing was written.")
    drafts = Postmortems(ctx.db)
    newest = await drafts.newest(subject.incident)
    if newest is None or word == "regenerate":
        number = await drafts.next_number(subject.incident)
        await ctx.engine.start("postmortem", f"postmortem:{subject.incident}:{number}", subject.incident, number)
        return Reply(f"Writing draft {number} of {subject.incident}; it will stand in the thread.")
    exporting = request.verb == "export" or "export" in request.options
    sections = [] if exporting else [PostmortemSection.model_validate(section) for section in newest.sections]
    content = PostmortemReply(ref=subject.incident, n=newest.n, markdown=newest.markdown, sections=sections)
    return Reply(f"Postmortem of {subject.incident}", content=content, dialog=True)
