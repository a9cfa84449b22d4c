"""Ask a question about an alert group or incident."""

from bot.commands._subject import around_of, name_of, subject_of
from bot.core.actor import is_direct
from bot.core.errors import NotFound
from bot.core.incident import GroupState
from bot.core.messages.content import MessageKind
from bot.core.questions.broad_questions import broad_question
from bot.core.questions.open_states import on_call
from bot.core.questions.parsing.forms import wants_on_call
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.parsing.topics import named_in_order
from bot.core.text.untrusted import one_line
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.store.answers.questions import AnswerTarget, Questions, StoredQuestion
from bot.store.slack.interactions import Interactions
from bot.workflows.command_context import CommandContext
from bot.workflows.investigation.questions import start

MAX_QUESTION_LENGTH = 500
"""Characters of a question that are read."""


@command("ask", usage="ask <question> [AL-3]", who="members", speech=True, opens_form=True)
async def ask(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Answer a question where it was asked: yes, no or unknown where it asks for that, then why, from what was recorded.

    Only a question about now ("is it still failing?") reads the current values; for other new checks use investigate. Where
    several are open and it names none, what makes sense of all of them is answered for all: what is going on, is it over, is
    everything ok, who is on it, who is on call, what is affected, what changed today. One that names the service of one of
    them ("why is payments failing?") is about that one. Who is on call is told where nothing is open, too.

    The verb may be left out, in the thread of an alert or incident and elsewhere: @tocsin is it the database?
    """
    question = one_line(request.fields.get("question") or request.text, MAX_QUESTION_LENGTH)
    if by_rota := await _by_rota(ctx, request, question):
        return by_rota
    if about_all := await _about_all(ctx, request, question):
        return about_all
    subject = await subject_of(ctx, request, question=question)
    if not question:
        if request.entry_point == EntryPoint.MODAL:
            return FieldErrors({"question": "Write what you want to know."})
        return Form(
            f"Ask about {subject.ref}", "ask", ref=subject.ref, fields=[Field("question", "Your question", kind="long")]
        )
    target = await _target(ctx, request)
    if target is not None and not await ctx.read_access.may_answer_in(subject.visibility, target.channel):
        raise NotFound(f"Others than those of {subject.ref} read here: ask in its own channel, or write to me directly.")
    put = await Questions(ctx.db).put(
        request.key, question, name_of(request.actor), group=subject.group, incident=subject.incident, target=target
    )
    await start(ctx.engine, put.number)
    if target is not None or (request.thread and await _stands_there(ctx, request, put)):
        return Reply("")
    return Reply(f"The answer will stand in the thread of {subject.ref}, for everybody.")


async def _by_rota(ctx: CommandContext, request: Request, question: str) -> Reply | None:
    """Who is on call for the services that it names, or for all where nothing is open; None for any other question."""
    if not wants_on_call(spelled_out(question)):
        return None
    around, services = await around_of(ctx, request), sorted(ctx.catalogue.services)
    named = named_in_order(question, services)
    if around.subject or (around.open and not named):
        return None
    # For all services at once young copies of the user groups will do: one request a group, not one a service.
    roster, now = await ctx.approvals.rotas.roster(named[0] if len(named) == 1 else ""), ctx.clock()
    short = on_call([(service, roster.on_call_now(service, now)) for service in named or [*services, ""]])
    return Reply(f"{short.lead} {short.text}")


async def _about_all(ctx: CommandContext, request: Request, question: str) -> Reply | None:
    """Have a question that makes sense of all that is open here answered for all of it; None for any other."""
    around = await around_of(ctx, request)
    services = frozenset((*ctx.catalogue.services, *(row.service for row in around.open))) - {""}
    if around.subject or broad_question(question, services) is None:
        return None
    if not around.open:
        return Reply(f"{around.nothing_open} The line `list all` shows what was.")
    target = await _target_of_all(ctx, request)
    if target is None:
        return None
    # What fires stands before what has cleared, whatever its severity.
    rows = sorted(around.open, key=lambda row: row.state == GroupState.MONITORING)
    refs = [row.ref for row in rows]
    put = await Questions(ctx.db).put(request.key, question, name_of(request.actor), refs=refs, target=target)
    await start(ctx.engine, put.number)
    is_beside = request.request_ts or request.entry_point is EntryPoint.DIRECT
    return Reply("" if is_beside else "The answer will stand in this channel, for everybody.")


async def _target_of_all(ctx: CommandContext, request: Request) -> AnswerTarget | None:
    """Where it is asked, since no single thread is; None in a conversation that the bot is not in."""
    if target := await _target(ctx, request):
        return target
    if is_direct(request.channel):
        return None
    above = await Interactions(ctx.db).shown_at(request.channel, request.thread) if request.thread else None
    return AnswerTarget(request.channel, thread_key=above.key if above else "")


async def _target(ctx: CommandContext, request: Request) -> AnswerTarget | None:
    """Where the answer is seen by who asked; None: in the thread of what it is about."""
    if request.entry_point is EntryPoint.DIRECT:
        return AnswerTarget(request.channel)
    if not request.request_ts:
        return None
    thread = request.thread or request.request_ts
    above = await Interactions(ctx.db).shown_at(request.channel, thread)
    if above is None:
        return AnswerTarget(request.channel, under=thread)
    return AnswerTarget(request.channel, thread_key=above.key) if above.kind == MessageKind.QUESTION else None


async def _stands_there(ctx: CommandContext, request: Request, put: StoredQuestion) -> bool:
    above = await Interactions(ctx.db).shown_at(request.channel, request.thread)
    return above is not None and above.key == put.thread_key
