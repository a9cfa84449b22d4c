"""Delivers a reply: privately where the request came from, and by another way if that one is closed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.core.messages.replies import (
    DetailsReply,
    GroupingReply,
    HelpReply,
    HomeReply,
    ListReply,
    PanelReply,
    PlanReply,
    PostmortemReply,
    ReplyContent,
    ShowReply,
    WhyReply,
)
from bot.core.text.untrusted import cut
from bot.plugins import Form, Reply
from bot.slack.blocks import Block, Rendered, View, actions, button, section, sections, trim
from bot.slack.client import SlackClient
from bot.slack.forms import form_view, lines, text_view
from bot.slack.limits import LIMIT
from bot.slack.render import redacted
from bot.slack.untrusted_text import plain_text
from bot.slack.view_context import ViewContext
from bot.slack.views import details, home, listing, panel, postmortem, proposal, show, why
from bot.slack.views import help as help_view
from bot.workflows.messages.delivery import RateLimited, Refused, Unanswered, Unreachable

log = structlog.get_logger(__name__)

DELIVERY_ERRORS = (Refused, RateLimited, Unanswered, Unreachable)


def rendered_reply(content: ReplyContent, view: ViewContext) -> Rendered:
    """The content of a private reply by its view."""
    match content:
        case HelpReply():
            return help_view.render(content, view)
        case ListReply():
            return listing.render(content, view)
        case HomeReply():
            return home.render(content)
        case PanelReply():
            return panel.render(content, view)
        case ShowReply():
            return show.render(content, view)
        case GroupingReply():
            return why.render_grouping(content)
        case WhyReply():
            return why.render(content, view)
        case DetailsReply():
            return details.render(content, view)
        case PlanReply():
            return proposal.render_full(content, view)
        case PostmortemReply():
            return postmortem.render_full(content, view)


@dataclass(frozen=True)
class ReplyTarget:
    """Where an interaction came from and the ways to answer it."""

    user: str
    channel: str
    thread: str = ""
    """The message whose thread says what is meant; under a card nobody replied to there is none to read yet."""
    open_thread: str = ""
    """The thread that the person reads. Empty: they read the channel, where nothing of a thread is seen."""
    trigger_id: str = ""
    response_url: str = ""
    team: str = ""
    """The workspace the interaction came from."""
    home: str = ""
    """The person's own workspace, where Slack names it."""

    @property
    def is_direct(self) -> bool:
        """Whether it came from a direct conversation: nobody else reads there, so an answer is a message as any other."""
        return self.channel.startswith("D")


Way = Callable[[ReplyTarget, str, list[Block]], Awaitable[bool]]
"""One way to answer privately; False where it is not open to this target."""


class Answers:
    """Private answers and modals."""

    def __init__(
        self,
        slack: SlackClient,
        *,
        hosts: frozenset[str] = frozenset(),
        called: frozenset[str] = frozenset(),
        redact: Callable[[str], str] = str,
    ) -> None:
        """`hosts` may be live links; `called` are those that remediations call: an approver reads them as they are."""
        self.slack, self.hosts, self.called, self.redact = slack, hosts, called, redact

    def rendered(self, reply: Reply) -> tuple[str, list[Block]]:
        """Fallback text and blocks of a reply."""
        if reply.content:
            text, blocks = rendered_reply(reply.content, ViewContext(hosts=self.hosts, called_hosts=self.called))
        else:
            # A dialog has room for all lines of a long answer.
            shown = lines(reply.text)
            text, blocks = plain_text(reply.text, 450), sections(shown.split("\n")) if reply.dialog else [section(shown)]
        return cut(self.redact(text), LIMIT["fallback"]), redacted(blocks, self.redact)

    def form(self, form: Form, target: ReplyTarget) -> View:
        """A form as the modal that is shown."""
        return self.clean(
            form_view(
                form,
                channel=target.channel,
                thread=target.thread,
                open_thread=target.open_thread,
                called=self.called,
            )
        )

    async def private(self, target: ReplyTarget, reply: Reply) -> None:
        """Tell one person where they look: by the first way that is open, at last in a modal or as a direct message.

        What is long stands in a modal, where the request can open one.
        """
        text, blocks = self.rendered(reply)
        if not (reply.dialog and await self._in_modal(target, text, blocks)):
            await self._send_private(target, text, trim(blocks) if reply.dialog else blocks)

    async def _in_modal(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        try:
            return await self._modal(target, text, blocks)
        except DELIVERY_ERRORS as error:
            log.info("no modal could be opened", why=str(error))
            return False

    async def _send_private(self, target: ReplyTarget, text: str, blocks: list[Block]) -> None:
        for way in self._ways(target):
            try:
                if await way(target, text, blocks):
                    return
            except DELIVERY_ERRORS as error:
                log.info("one way to answer was closed", way=way.__name__, why=str(error))
        log.warning("a private answer reached nobody", user=target.user, channel=target.channel)

    def _ways(self, target: ReplyTarget) -> tuple[Way, ...]:
        """The ways to answer, the most fitting first.

        The response address of a press or command reaches the person also where the bot is no member, but shows its answer in
        the channel; who reads a thread gets an ephemeral message in it.
        """
        if target.is_direct:
            return self._conversation, self._response, self._modal, self._direct
        if target.open_thread:
            return self._ephemeral, self._response, self._modal, self._direct
        return self._response, self._ephemeral, self._modal, self._direct

    async def open_form(self, target: ReplyTarget, form: Form, slash_line: str = "") -> None:
        """Open a modal; without a trigger (a mention has none) offer a button that has one.

        `slash_line`: the slash command that opens it filled in, as the button does not.
        """
        if target.trigger_id:
            view = self.form(form, target)
            await self.slack.call(self.slack.web.views_open, trigger_id=target.trigger_id, view=view)
            return
        value = f"{form.ref}:{form.revision}" if form.revision is not None else form.ref
        if form.ref.startswith("AP-"):
            await self.private(
                target, Reply(f"Use the button on the card of {form.ref}: it opens the dialog that asks for the rest.")
            )
            return
        text = f"{form.title}: this needs a dialog, which a mention cannot open."
        shown = f"{text}\nPress the button, or type this in a channel: {slash_line}" if slash_line else text
        blocks = [section(lines(shown)), actions(button(f"{form.title}...", form.verb, value or "-"))]
        await self._send_private(target, text, blocks)

    async def publish_home(self, user: str, content: HomeReply) -> None:
        """Show one person's home tab as it is now."""
        view = self.clean(home.home_view(content))
        await self.slack.call(self.slack.web.views_publish, user_id=user, view=view)

    def clean(self, view: View) -> View:
        """A view with secrets masked in its texts."""
        return {**view, "blocks": redacted(view["blocks"], self.redact)}

    async def _ephemeral(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        if not target.channel:
            return False
        await self.slack.call(
            self.slack.web.chat_postEphemeral,
            channel=target.channel,
            user=target.user,
            text=text,
            blocks=blocks,
            thread_ts=target.open_thread or None,
        )
        return True

    async def _conversation(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        await self._post(target.channel, text, blocks, thread_ts=target.open_thread or None)
        return True

    async def _response(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        if not target.response_url:
            return False
        return await self.slack.respond(target.response_url, text, blocks)

    async def _modal(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        if not target.trigger_id:
            return False
        shown = [block for block in blocks if block["type"] != "markdown"]
        view = text_view(text if len(text) <= LIMIT["view.title"] else "Answer", text, shown)
        await self.slack.call(self.slack.web.views_open, trigger_id=target.trigger_id, view=view)
        return True

    async def _direct(self, target: ReplyTarget, text: str, blocks: list[Block]) -> bool:
        opened = await self.slack.call(self.slack.web.conversations_open, users=target.user)
        await self._post(opened["channel"]["id"], text, blocks)
        return True

    async def _post(self, channel: str, text: str, blocks: list[Block], *, thread_ts: str | None = None) -> None:
        await self.slack.call(
            self.slack.web.chat_postMessage,
            channel=channel,
            text=text,
            blocks=blocks,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )
