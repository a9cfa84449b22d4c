"""The postmortem message: five lines and the way to the whole text."""

from collections.abc import Iterable, Sequence

from bot.core.history.postmortem import PostmortemSection, Sentence
from bot.core.messages.investigation import PostmortemContent
from bot.core.messages.replies import PostmortemReply
from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, button, code, context, header, picture, section, sections, trim
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import plain_text, prose
from bot.slack.view_context import ViewContext

ABSTRACT = ("Summary", "Impact", "Detection", "Root cause", "Actions taken")
MAX_CHARACTERS = 280
"""Of what a section says first."""
SENTENCE = 2000
"""Characters of one sentence: the impact names the failed requests of each service."""
PIECE = 2800
"""Characters of Markdown a code block takes."""


def render(draft: PostmortemContent, view: ViewContext) -> Rendered:
    """The first sentence of the main sections, and the graph of the incident if there is one."""
    ref = draft.ref
    controls = actions(
        button("Read", "postmortem", ref, accessible_label=f"Read the postmortem of {ref}"),
        button("Export", "export", ref, accessible_label=f"Export the postmortem of {ref} as Markdown"),
    )
    blocks: list[Block] = [
        header(f"DRAFT {draft.n} · postmortem of {ref}"),
        section("\n".join(_lines(draft.sections)) or "The draft is empty"),
        *([picture(draft.graph)] if draft.graph else []),
        controls,
        context(f"*DRAFT {draft.n}* written by the bot from the record; each sentence names its source", ref),
    ]
    return f"Postmortem draft {draft.n} of {ref}: {plain_text(draft.title)}", blocks


def _lines(sections: Sequence[PostmortemSection]) -> list[str]:
    by_title = {section.title: section.sentences for section in sections}
    return [f"*{title}:* {_first(by_title.get(title, ()))}" for title in ABSTRACT]


def _first(sentences: Sequence[Sentence]) -> str:
    if not sentences:
        return "nothing recorded"
    shown, left = _whole(sentences[0].text)
    more = f" {counted(left, 'more sentence')} under Read" if left else ""
    return f"{prose(shown, MAX_CHARACTERS)}{more} ({', '.join(sentences[0].sources)})"


def _whole(text: str) -> tuple[str, int]:
    """As many of its sentences as there is room for, none of them cut, and how many more there are."""
    shown, *others = (f"{sentence.rstrip('.')}." for sentence in text.split(". "))
    while others and len(f"{shown} {others[0]}") <= MAX_CHARACTERS:
        shown = f"{shown} {others.pop(0)}"
    return shown, len(others)


def render_full(draft: PostmortemReply, view: ViewContext) -> Rendered:
    """The whole draft for one reader, in a dialog; without sections the Markdown to copy."""
    title, heading = f"Postmortem of {draft.ref}", header(f"Postmortem of {draft.ref}, draft {draft.n}")
    if draft.sections:
        shown = [block for part in draft.sections for block in sections(_lines_of(part))]
        small = context(f"{draft.ref}, ids in brackets name the record; Export gives it as Markdown")
        return title, trim([heading, *shown, small], most=LIMIT["view.blocks"], characters=LIMIT["view.text"])
    return title, [heading, *_pieces(draft.markdown), context("Markdown; also at the API, whole")]


def _lines_of(part: PostmortemSection) -> Iterable[str]:
    yield f"*{part.title}*"
    yield from (f"• {prose(s.text, SENTENCE)} ({', '.join(s.sources)})" for s in part.sentences)
    if part.blank:
        yield f"_{prose(part.blank)}_"


def _pieces(markdown: str, most: int = 20) -> list[Block]:
    """The Markdown itself, in code blocks so that it can be copied; what does not fit a dialog is counted."""
    pieces: list[str] = [""]
    for line in markdown.split("\n"):
        if len(pieces[-1]) + len(line) > PIECE:
            pieces.append("")
        pieces[-1] += line[:PIECE] + "\n"
    shown = [code(piece) for piece in pieces[:most]]
    return [*shown, context(f"Not shown: {counted(len(pieces) - most, 'more part')}")] if len(pieces) > most else shown
