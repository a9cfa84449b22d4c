"""What a command is about: the reference in its text, or the one that its thread or channel implies."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.actor import Actor, is_direct, visible_in
from bot.core.commands.verb_line import mistyped_reference, typed_line
from bot.core.errors import NotFound
from bot.core.messages.replies import ListRow
from bot.core.questions.parsing.service_in_question import service_in_question
from bot.core.text.untrusted import one_line
from bot.plugins import Request
from bot.store.incidents import overview
from bot.store.incidents.overview import Subject
from bot.workflows.command_context import CommandContext

MAX_CANDIDATES = 8
MAX_TITLE = 80
MAX_COPIED = 200
"""Characters of a line that is repeated for each candidate."""


def name_of(actor: Actor) -> str:
    """The person key; for members outside the roster their Slack id."""
    return actor.person or actor.user


async def subject_of(ctx: CommandContext, request: Request, *, question: str = "") -> Subject:
    """The group and incident that are meant; the only open one of the channel without a reference. Raises NotFound.

    `question`: of what only reads. Of several open ones it means the one whose service it names.
    """
    if wrong := mistyped_reference(request.text):
        raise NotFound(f"There is no {wrong[:40]} here: references look like AL-3 or INC-3. The verb list shows what there is.")
    around = await around_of(ctx, request)
    if around.subject:
        return around.subject
    if row := _row_in_question(ctx, question, around.open):
        return await overview.subject_of(ctx.db, row.ref)
    raise NotFound(_which(request, around))


def _row_in_question(ctx: CommandContext, question: str, rows: Sequence[ListRow]) -> ListRow | None:
    service = service_in_question(question, frozenset((*ctx.catalogue.services, *(row.service for row in rows))) - {""})
    of_service = [row for row in rows if service and row.service == service]
    return of_service[0] if len(of_service) == 1 else None


def _which(request: Request, around: "Around") -> str:
    """Asks which one is meant, with the whole line to copy for each, or for one where it is long: nobody types it twice."""
    rows = around.open[:MAX_CANDIDATES]
    lines = [typed_line(request.verb, ref, request.text, request.options) for ref in [row.ref for row in rows] or ["AL-3"]]
    if not rows:
        return f"Say which one, for example: {lines[0]}. {around.nothing_open}"
    more = ["The verb list shows more."] if len(around.open) > len(rows) else []
    copied = lines if len(lines[0]) <= MAX_COPIED else lines[:1]
    candidates = [f"Say which one. Open{around.where}:", *map(_candidate, rows), *more]
    return "\n".join([*candidates, "Nothing was done yet. To copy:", *copied])


def _candidate(row: ListRow) -> str:
    """`AL-3 payments HighErrorRate, firing`; a title of several words is somebody's sentence, and quoted."""
    title = one_line(row.title, MAX_TITLE)
    what = f"“{title}”" if " " in title else title
    return f"{' '.join(filter(None, (row.ref, one_line(row.service, 40), what)))}, {row.state.lower()}"


@dataclass(frozen=True)
class Around:
    """What a thread or channel implies: the subject, if any, and whether it is meant because nothing else is open here."""

    subject: Subject | None
    only_one: bool = False
    open: Sequence[ListRow] = ()
    """What is open there, when that is several, the worst first."""
    everywhere: bool = False
    """It was asked for where no channel is: in a direct conversation or on the home tab."""

    @property
    def where(self) -> str:
        """ " in this channel", where one is."""
        return "" if self.everywhere else " in this channel"

    @property
    def nothing_open(self) -> str:
        """That there is nothing, as far as who asks may know: what Slack does not say they read, is not shown to them."""
        return "Nothing that you may read is open." if self.everywhere else "Nothing is open in this channel."


async def around_of(ctx: CommandContext, request: Request) -> Around:
    """The reference in the request or of its thread, else the only open one of the channel. Raises NotFound."""
    if request.ref:
        return Around(await overview.subject_of(ctx.db, request.ref))
    everywhere = is_direct(request.channel)
    visibilities = await ctx.read_access.readable(request) if everywhere else visible_in(request.channel)
    here = await overview.open_rows(ctx.db, visibilities)
    subject = await overview.subject_of(ctx.db, here[0].ref) if len(here) == 1 else None
    return Around(subject, only_one=subject is not None, open=() if subject else here, everywhere=everywhere)


def fitting(ctx: CommandContext, subject: Subject | None) -> list[str]:
    """Verbs that make sense now, in the order people need them."""
    if subject is None:
        names = ["declare", "list", "whoami", "help"]
    elif subject.state == "RESOLVED":
        names = ["show", "postmortem", "why", "note", "list"]
    else:
        take = [] if subject.state == "ACKNOWLEDGED" else ["ack"]
        declare = [] if subject.incident else ["declare"]
        names = [*take, *declare, "show", "why", "investigate", "propose", "silence", "note", "lead", "resolve", "stop"]
    return [name for name in names if name in ctx.verbs]
