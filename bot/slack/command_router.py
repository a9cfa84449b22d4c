"""From an interaction to a verb and back: one path for slash command, mention, direct message, button, shortcut and modal."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.core.actor import Actor
from bot.core.commands.plain_speech import claims_it, is_speech
from bot.core.commands.verb_line import LIMIT, Line, typed_line
from bot.core.errors import NotAllowed, TocsinError
from bot.core.messages.content import MessageKind
from bot.core.messages.replies import HomeReply
from bot.core.questions.broad_questions import broad_question
from bot.core.quotas import QuotaResult, Quotas
from bot.core.redaction.redaction import redact, redact_all
from bot.plugins import EntryPoint, FieldErrors, Form, Reply, Request, Response, Who
from bot.slack.answers import DELIVERY_ERRORS, Answers, ReplyTarget
from bot.slack.blocks import View
from bot.slack.forms import Origin, errors_of, loading_view, submitted, text_view
from bot.slack.people import People
from bot.slack.vocabulary import CLAIM_VERB, QUESTION_VERB, Vocabulary, check_options
from bot.store.slack.interactions import Interactions
from bot.workflows.command_context import CommandContext

log = structlog.get_logger(__name__)

LOADING_AFTER = 0.7
"""Seconds a verb or a submission may take before "Loading..." stands in its dialog: Slack's limit is 3, our promise 1."""
STORED_WAITS = (0.2, 0.4, 0.8)
"""Seconds between the looks for a message that was just posted: a dialog can be opened for three after the press."""
NAMES_ITS_SUBJECT = frozenset(
    {
        MessageKind.CARD,
        MessageKind.INCIDENT_CARD,
        MessageKind.TRIAGE,
        MessageKind.PROPOSAL,
        MessageKind.POLICY,
        MessageKind.POSTMORTEM,
        MessageKind.CAUSE,
        MessageKind.QUESTION,
    }
)
"""Kinds of message whose thread implies the group, incident or proposal that they show or ask about."""
REMEMBERED = 1_000
WINDOW = timedelta(seconds=30)
MAX_OF_PERSON, MAX_OF_SUBJECT = 120, 20
"""Presses, lines and dialogs of one person within WINDOW that are read: all of them, and those about one thing."""
TOO_MUCH = "That was more within half a minute than I read of one person. The rest was not done; go on in half a minute."


class CommandRouter:
    """Finds the verb, calls it and delivers its answer; after `soon` seconds a dialog says that it is on its way."""

    def __init__(
        self,
        ctx: CommandContext,
        people: People,
        interactions: Interactions,
        answers: Answers,
        *,
        soon: float = LOADING_AFTER,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.ctx, self.people, self.interactions, self.answers, self.soon = ctx, people, interactions, answers, soon
        self._sleep = sleep
        self._quota_of_person, self._quota_of_subject = Quotas(MAX_OF_PERSON, WINDOW), Quotas(MAX_OF_SUBJECT, WINDOW)
        self._handled: deque[str] = deque(maxlen=REMEMBERED)
        """Dialogs that this process carried out or carries out now."""

    @property
    def _vocabulary(self) -> Vocabulary:
        """With the remediations as they are now: a reload changes them."""
        return Vocabulary(self.ctx.verbs, {*self.ctx.config.actions, *self.ctx.config.plans})

    # ------------------------------------------------------------ a line of text

    async def line(self, line: Line, request: Request, target: ReplyTarget) -> None:
        """A verb line: of the slash command, a mention, a direct message or a message shortcut."""
        if await self._is_too_much(target, line.ref):
            return
        if not await self.interactions.first(request.key):
            return
        if line.unread:
            length = f"{LIMIT + line.unread:,} characters; I read at most {LIMIT:,} at once"
            await self.answers.private(target, Reply(f"Your line has {length}, so nothing was done. Say it in several lines."))
            return
        await self._carry_out(await self._request_of_line(line, request), target)

    async def _request_of_line(self, line: Line, request: Request) -> Request:
        """The request that a line makes.

        Plain speech is a question in the thread of an incident and to the bot alone; elsewhere only what ends as one, or asks
        about all that is open.
        """
        by_word = self._vocabulary.by_word()
        addressed_to_bot = request.entry_point in (EntryPoint.MENTION, EntryPoint.DIRECT)
        if addressed_to_bot and CLAIM_VERB in by_word and claims_it(line.typed):
            here = await self._with_implied_ref(request)
            return replace(here, verb=CLAIM_VERB, text="", ref=here.ref or line.ref)
        if addressed_to_bot and QUESTION_VERB in by_word and is_speech(line, by_word):
            here = await self._with_implied_ref(request)
            broad = broad_question(line.typed, self.ctx.catalogue.services)
            asks = line.typed.rstrip().endswith("?") or broad is not None
            if here.ref or asks or request.entry_point == EntryPoint.DIRECT:
                return replace(here, verb=QUESTION_VERB, text=line.typed, ref=here.ref or line.ref)
        command = by_word.get(line.verb)
        if command is not None and command.speech:
            return replace(request, verb=line.verb, text=line.rest or line.text, ref=line.ref)
        return replace(request, verb=line.verb, text=line.text, options=line.options, ref=line.ref)

    async def _is_too_much(self, target: ReplyTarget, ref: str) -> bool:
        """Whether a person asks for more than one can: it is passed over, with one notice and one row for all of it.

        Before anything is looked up or written: whoever presses 500 times must not keep others waiting.
        """
        now = self.ctx.clock()
        result = self._quota_of_subject.take(f"{target.user} {ref}", now) if ref else QuotaResult.ALLOWED
        if result is QuotaResult.ALLOWED:
            result = self._quota_of_person.take(target.user, now)
        if result is QuotaResult.FIRST_REFUSED:
            await self.interactions.refused(target.user, "flood", ref, TOO_MUCH)
            await self.answers.private(target, Reply(TOO_MUCH))
        return result is not QuotaResult.ALLOWED

    # ------------------------------------------------------------ a button or menu

    async def press(self, request: Request, target: ReplyTarget, *, private: bool) -> None:
        """A pressed control. A message of a channel must show the very subject that it names."""
        if await self._is_too_much(target, request.ref):
            return
        if not await self.interactions.first(request.key):
            return
        if not await self._matches_soon(request, private):
            reason = (
                "This button is not on a message of mine that shows its subject, so it does nothing. Use the original card."
            )
            await self.interactions.refused(target.user, f"button {request.verb}", request.ref, reason)
            await self.answers.private(target, Reply(reason))
            return
        await self._carry_out(request, target)
        if request.entry_point == EntryPoint.HOME:
            await self.show_home(target)

    async def show_home(self, target: ReplyTarget) -> None:
        """The home tab of whoever looks at it, as it is now."""
        if self._quota_of_subject.take(f"{target.user} home", self.ctx.clock()) is not QuotaResult.ALLOWED:
            return
        request = Request("home", Actor(team=target.team, user=target.user), "", entry_point=EntryPoint.HOME)
        answer = await self._run_verb(request, target)
        if not isinstance(answer, Reply) or not isinstance(answer.content, HomeReply):
            return
        try:
            await self.answers.publish_home(target.user, answer.content)
        except DELIVERY_ERRORS as error:
            log.info("a home tab could not be shown", user=target.user, why=str(error))

    async def _matches_soon(self, request: Request, private: bool) -> bool:
        """Whether the message shows what its button is about; of one that was just posted, once it had time to be stored."""
        matches = await self._button_matches_message(request, private)
        for wait in STORED_WAITS if self.interactions.just_posted(request.message) else ():
            if matches:
                break
            await self._sleep(wait)
            matches = await self._button_matches_message(request, private)
        return matches

    async def _button_matches_message(self, request: Request, private: bool) -> bool:
        shown = await self.interactions.shown_at(request.channel, request.message)
        if shown is None:
            # Private answers have no row; no decision is accepted from one. The home tab's opens the dialog with the plan.
            if request.entry_point == EntryPoint.HOME or (private and not request.ref.startswith("AP-")):
                return True
            return bool(request.ref) and await self.interactions.being_posted(request.channel, request.ref, request.message)
        if shown.kind == MessageKind.STORM:
            return await self.interactions.stands_on_storm(shown.key, request.ref)
        if shown.kind == MessageKind.TRIAGE and request.ref.startswith("AP-"):
            return await self.interactions.is_of_group(request.ref, shown.subject)
        return shown.subject == request.ref

    # ------------------------------------------------------------ a submitted dialog

    async def submit(self, view: View, target: ReplyTarget, *, key: str, ack: AsyncAck) -> None:
        """A modal's fields go to its verb; wrong fields keep it open. Acknowledged within a second, whatever happens."""
        origin = Origin.load(str(view.get("private_metadata") or ""))
        target = replace(target, channel=origin.channel, thread=origin.thread, open_thread=origin.open_thread)
        if await self._is_too_much(target, origin.ref):
            await ack(response_action="update", view=text_view("Too many requests", TOO_MUCH))
            return
        work = asyncio.create_task(self._run_dialog(view, origin, target, key))
        await asyncio.wait({work}, timeout=self.soon)
        if not work.done():
            await ack(response_action="update", view=loading_view("Working"))
            await self._fill(view, await work, target, key)
            return
        answer = work.result()
        if isinstance(answer, FieldErrors):
            await ack(response_action="errors", errors=errors_of(answer, view))
        elif isinstance(answer, Form):
            shown = self.answers.form(answer, target)
            await ack(response_action="update", view=shown)
        else:
            await ack()
            await self._reply(answer, target, key)

    async def _run_dialog(self, view: View, origin: Origin, target: ReplyTarget, key: str) -> Response:
        if not await self.interactions.first(key) and key in self._handled:
            return Reply("")
        # Noted by a process that is gone, perhaps before it did anything: done now, and a verb knows by the key what it did.
        self._handled.append(key)
        fields = submitted(view)
        request = Request(
            verb=origin.verb,
            actor=Actor(team=target.team, user=target.user),
            channel=origin.channel,
            thread=origin.thread,
            ref=origin.ref,
            revision=origin.revision,
            fields=fields,
            entry_point=EntryPoint.MODAL,
            key=key,
        )
        answer: Response | None = None
        try:
            answer = await self._run_verb(request, target)
        finally:
            if answer is None or isinstance(answer, FieldErrors):
                # It had no effect, or failed: the same fields sent again are no repeat to be passed over in silence.
                await self.interactions.forget(key)
        return answer

    async def _fill(self, view: View, answer: Response, target: ReplyTarget, key: str) -> None:
        """Put a late answer into the dialog that says "Loading..."; if that was closed, answer privately.

        What everybody shall read stands in its thread as well: the dialog shows it to one person.
        """
        if isinstance(answer, Reply) and not answer.private:
            await self._reply(answer, target, key)
        shown = self._as_view(answer, target)
        try:
            await self.answers.slack.call(self.answers.slack.web.views_update, view_id=view["id"], view=shown)
        except DELIVERY_ERRORS:
            if isinstance(answer, Reply) and answer.text and answer.private:
                await self.answers.private(target, answer)

    def _as_view(self, answer: Response, target: ReplyTarget) -> View:
        if isinstance(answer, Form):
            return self.answers.form(answer, target)
        if isinstance(answer, FieldErrors):
            return text_view("Refused", "\n".join([*answer.errors.values(), "Nothing was done. Open the dialog again."]))
        text, blocks = self.answers.rendered(answer if answer.text or answer.content else Reply("Done."))
        return text_view("Answer", text, blocks)

    # ------------------------------------------------------------ the verb itself

    async def _carry_out(self, request: Request, target: ReplyTarget) -> None:
        """Use the verb and deliver its answer; a slow one that opens a dialog gets the dialog at once."""
        work = asyncio.create_task(self._run_verb(request, target))
        command = self._vocabulary.by_word().get(request.verb)
        if command is not None and command.opens_form and target.trigger_id:
            await asyncio.wait({work}, timeout=self.soon)
            if not work.done() and (opened := await self._open_loading(command.name, target)):
                await self._fill(opened, await work, target, request.key)
                return
        answer = await work
        if isinstance(answer, Form):
            await self._open(answer, target, request)
        else:
            await self._reply(answer, target, request.key)

    async def _open(self, form: Form, target: ReplyTarget, request: Request) -> None:
        try:
            await self.answers.open_form(target, form, self._slash_line(request, form))
        except DELIVERY_ERRORS as error:
            await self.answers.private(
                replace(target, trigger_id=""),
                Reply(f"The dialog could not be opened ({error}), so nothing was done. Try again."),
            )

    def _slash_line(self, request: Request, form: Form) -> str:
        """The slash command that opens this form with what a person has typed already; "" where that is nothing."""
        if not (request.text or request.options):
            return ""
        ref = form.ref if form.ref.startswith(("AL-", "INC-")) else ""
        command = self._vocabulary.by_word().get(request.verb)
        if command is not None and command.speech:
            line = " ".join((request.verb, request.text, ref))
        else:
            line = typed_line(request.verb, ref, request.text, request.options)
        return f"{self.ctx.config.command} {' '.join(line.split())}"

    async def _open_loading(self, verb: str, target: ReplyTarget) -> View | None:
        slack = self.answers.slack
        try:
            opened = await slack.call(slack.web.views_open, trigger_id=target.trigger_id, view=loading_view(verb.capitalize()))
        except DELIVERY_ERRORS as error:
            log.info("no dialog could be opened", why=str(error))
            return None
        view: View = opened["view"]
        return view

    async def _reply(self, answer: Reply | FieldErrors, target: ReplyTarget, key: str) -> None:
        if isinstance(answer, FieldErrors):
            answer = Reply("\n".join(answer.errors.values()))
        if not answer.text and not answer.content:
            return
        if answer.private:
            await self.answers.private(target, answer)
            return
        above = await self.interactions.shown_at(target.channel, target.thread) if target.thread else None
        origin = above.key if above else ""
        channel, thread = await self.interactions.thread_of(answer.about) if answer.about else ("", "")
        await self.interactions.add_line(key, channel or target.channel, answer.text, thread or origin)
        if thread and not (thread == origin and target.open_thread):
            # Whoever used the command elsewhere does not see that thread: a slash command cannot even be typed there.
            text = f"{answer.text} This stands in the thread of {answer.about}, for everybody."
            await self.answers.private(target, Reply(text))

    async def _run_verb(self, request: Request, target: ReplyTarget) -> Response:
        """The verb's answer; expected errors are answers."""
        try:
            if target.team != await self.people.team():
                raise await self._refusal(request, target, "This belongs to another workspace. Nothing was done.")
            command = self._vocabulary.command(request)
            actor = await self.people.actor(target.user, home=target.home, fresh=command.fresh_identity)
            request = _without_secrets(request)
            check_options(command, request.options)
            if command.who is Who.MEMBERS and (why := _why_not_member(actor)):
                raise await self._refusal(request, target, why)
            request = await self._with_implied_ref(replace(request, actor=actor))
            await self.ctx.read_access.require(request)
            return await command.fn(self.ctx, request)
        except TocsinError as error:
            if isinstance(error, NotAllowed) and not error.audited:
                await self.interactions.refused(target.user, request.verb, request.ref, str(error))
            log.info(
                "a verb was not carried out",
                verb=request.verb[:40],
                entry_point=request.entry_point,
                who=target.user,
                why=str(error),
            )
            return Reply(str(error))

    async def _refusal(self, request: Request, target: ReplyTarget, why: str) -> NotAllowed:
        await self.interactions.refused(target.user, request.verb or "panel", request.ref, why)
        return NotAllowed(why, audited=True)

    async def _with_implied_ref(self, request: Request) -> Request:
        """With the reference implied by its thread."""
        if request.ref or not request.thread:
            return request
        shown = await self.interactions.shown_at(request.channel, request.thread)
        if shown is None or shown.kind not in NAMES_ITS_SUBJECT:
            return request
        return replace(request, ref=shown.subject)


def _without_secrets(request: Request) -> Request:
    """What people typed goes into the timeline, to the model and back to Slack: a pasted key must reach none of them."""
    return replace(request, text=redact(request.text), fields=redact_all(request.fields), options=redact_all(request.options))


def _why_not_member(actor: Actor) -> str:
    """Why somebody may only read; "" for a full member of this workspace."""
    if actor.is_stranger:
        return "People of other workspaces can read here, and change nothing. Ask a member of this workspace."
    if actor.is_guest:
        return "Guests can read here, and change nothing. Ask a full member."
    return "Bots and deactivated people change nothing here." if actor.is_bot or actor.is_deleted else ""
