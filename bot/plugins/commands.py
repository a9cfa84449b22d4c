"""What a command is: a function from one request, the same from every entry point, to a response."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from bot.core.actor import Actor
from bot.core.messages.replies import ReplyContent


class Who(StrEnum):
    """Whom a verb is for. Whoever it is, it shows them only what belongs to channels that they can read."""

    ANYONE = "anyone"
    MEMBERS = "members"
    """Full members of this workspace."""
    APPROVERS = "approvers"
    """Those whom the policy lets decide; it refuses everybody else, with the rule."""


class EntryPoint(StrEnum):
    """Where in Slack a request comes from."""

    SLASH = "slash"
    MENTION = "mention"
    DIRECT = "direct"
    """A line in the direct conversation with the bot."""
    BUTTON = "button"
    HOME = "home"
    """A button of the app's home tab."""
    MODAL = "modal"
    SHORTCUT = "shortcut"

    @property
    def is_typed(self) -> bool:
        """Whether a person wrote the line."""
        return self in (EntryPoint.SLASH, EntryPoint.MENTION, EntryPoint.DIRECT)


@dataclass(frozen=True)
class Request:
    """One use of a command."""

    verb: str
    actor: Actor
    channel: str
    thread: str = ""
    text: str = ""
    """What stood after the verb."""
    options: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""
    """`AP-12`, `AL-3`, `INC-3` from the text, the button or the thread."""
    revision: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values of a submitted modal; empty for every other entry point."""
    entry_point: EntryPoint = EntryPoint.MENTION
    message: str = ""
    """ts of the message whose button was pressed."""
    request_ts: str = ""
    """ts of the person's message that is the request, or that a shortcut was used on: an answer can stand under it."""
    key: str = ""
    """Unique per interaction; a repeat is the same key."""


@dataclass(frozen=True)
class Reply:
    """An answer: private by default, plain text unless it has a content."""

    text: str
    private: bool = True
    about: str = ""
    """The group, incident or proposal in whose thread a public answer stands; empty: where the request came from."""
    content: ReplyContent | None = None
    """What is shown instead of the text alone; slack/views renders it."""
    dialog: bool = False
    """Shown in a dialog, where the entry point can open one: it is long, and for one reader."""


@dataclass(frozen=True)
class Field:
    """One input of a Form."""

    name: str
    label: str
    kind: str = "text"
    """text, long, select."""
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Form:
    """A modal whose submission calls the same verb with `fields`."""

    title: str
    verb: str
    ref: str = ""
    revision: int | None = None
    intro: str = ""
    code: str = ""
    """Shown whole in a code block: plan, dry run."""
    fields: Sequence[Field] = ()
    submit: str = "Send"


@dataclass(frozen=True)
class FieldErrors:
    """A refused submission: the modal stays open with these texts at its inputs."""

    errors: Mapping[str, str]


Response = Reply | Form | FieldErrors


Context = TypeVar("Context")
"""What the bot hands to its verbs: a class of `bot.commands`, which this package does not know."""


@dataclass(frozen=True)
class Command:
    """A verb: `async def verb(ctx, request) -> Reply | Form | FieldErrors`; NotAllowed and NotFound become private answers."""

    name: str
    # Any: commands of every context stand in one table.
    fn: Callable[[Any, Request], Awaitable[Response]]
    who: Who
    aliases: tuple[str, ...] = ()
    usage: str = ""
    options: tuple[str, ...] = ()
    """Valid `key=` options; others are an error that lists these."""
    speech: bool = False
    """What follows the verb is free text: nothing in it is read as an option."""
    opens_form: bool = False
    """It may answer with a Form: when it is slow, the dialog is opened at once and filled later."""
    fresh_identity: bool = False
    """It decides something: Slack is asked at every use who the person is, and nothing is answered from memory."""

    @property
    def summary(self) -> str:
        """The first line of the docstring: what help shows."""
        return (self.fn.__doc__ or "").strip().split("\n", 1)[0]


def command(
    name: str,
    *,
    aliases: Iterable[str] = (),
    usage: str = "",
    who: str,
    options: Iterable[str] = (),
    speech: bool = False,
    opens_form: bool = False,
    fresh_identity: bool = False,
) -> Callable[[Callable[[Context, Request], Awaitable[Response]]], Command]:
    """Register a verb. `who` is one of Who: a verb that does not say it does not load."""
    words, valid = tuple(aliases), tuple(options)
    return lambda fn: Command(
        name=name,
        fn=fn,
        who=Who(who),
        aliases=words,
        usage=usage,
        options=valid,
        speech=speech,
        opens_form=opens_form,
        fresh_identity=fresh_identity,
    )
