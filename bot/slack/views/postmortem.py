"""The postmortem message: five lines and the way to the whole text."""

from collections.abc import Mapping
from typing import Any

from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, button, code, context, header, picture, prose, section, spoken, trim

ABSTRACT = ("Summary", "Impact", "Detection", "Root cause", "Actions taken")
PIECE = 2800
"""Characters of Markdown a code block takes."""


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref, n, title, state, graph (a picture's key, or "") and sections ({title, sentences: [{text, sources}]})."""
    ref = state["ref"]
    controls = actions(
        button("Read", "postmortem", ref, spoken_as=f"Read the postmortem of {ref}"),
        button("Export", "export", ref, spoken_as=f"Export the postmortem of {ref} as Markdown"),
    )
    blocks: list[Block] = [
        header(f"DRAFT {state['n']} · postmortem of {ref}"),
        section("\n".join(_lines(state["sections"])) or "The draft is empty"),
        *([picture(state["graph"])] if state.get("graph") else []),
        controls,
        context(f"*DRAFT {state['n']}* written by the bot from the record; each sentence names its source", ref),
    ]
    return f"Postmortem draft {state['n']} of {ref}: {spoken(state['title'])}", blocks


def _lines(sections: list[Mapping[str, Any]]) -> list[str]:
    by_title = {section["title"]: section["sentences"] for section in sections}
    return [f"*{title}:* {_first(by_title.get(title, ()))}" for title in ABSTRACT]


def _first(sentences: Any) -> str:
    if not sentences:
        return "nothing recorded"
    return f"{prose(sentences[0]['text'], 280)} ({', '.join(sentences[0]['sources'])})"


def reading(state: Mapping[str, Any]) -> Rendered:
    """The whole draft for one reader: `state` has ref, n, markdown and sections; without sections the Markdown to copy."""
    title = f"Postmortem of {state['ref']}, draft {state['n']}"
    if sections := state.get("sections"):
        small = context(f"{state['ref']}, ids in brackets name the record; Export gives it as Markdown")
        return title, trim([header(title), *(section(_section(one)) for one in sections), small])
    return title, [header(title), *_pieces(state["markdown"]), context("Markdown; also at the API, whole")]


def _section(one: Mapping[str, Any]) -> str:
    lines = [f"• {prose(s['text'], 400)} ({', '.join(s['sources'])})" for s in one["sentences"]]
    blank = [f"_{prose(one['blank'])}_"] if one.get("blank") else []
    return "\n".join([f"*{one['title']}*", *lines, *blank])


def _pieces(markdown: str, most: int = 3) -> list[Block]:
    """The Markdown itself, in code blocks so that it can be copied; what does not fit a message is counted."""
    pieces: list[str] = [""]
    for line in markdown.split("\n"):
        if len(pieces[-1]) + len(line) > PIECE:
            pieces.append("")
        pieces[-1] += line[:PIECE] + "\n"
    shown = [code(piece) for piece in pieces[:most]]
    return [*shown, context(f"Not shown: {counted(len(pieces) - most, 'more part')}")] if len(pieces) > most else shown
