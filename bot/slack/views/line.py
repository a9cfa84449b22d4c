"""One line of plain text in a channel or thread."""

from bot.core.messages.alerts import LineContent
from bot.slack.blocks import Rendered, context, plain_text, prose, section
from bot.slack.view_context import ViewContext

SHOWN = 2500
"""Characters of a line; Slack takes 3,000, and what is escaped grows."""


def render(line: LineContent, view: ViewContext) -> Rendered:
    """The text behind its mentions; a long one is cut and says where all of it can be read."""
    mentions = "".join(f"<@{user}> " for user in view.mention)
    text = line.text
    blocks = [section(mentions + prose(text, SHOWN))]
    if len(text) > SHOWN:
        where = f"; the whole text: {line.full_text_at}" if line.full_text_at else ""
        blocks.append(context(f"Cut: {len(text):,} characters, {SHOWN:,} shown{where}"))
    return plain_text(text, 450), blocks
