"""One group, incident or proposal in short, with the newest lines of its timeline."""

from bot.core.evidence import Findings, nothing_wrong
from bot.core.messages.replies import ShowReply
from bot.core.text.untrusted import counted
from bot.core.timeline import TimelineEntry
from bot.slack.blocks import Block, Rendered, context, fields, header, section, trim
from bot.slack.untrusted_text import name_text, plain_text, prose, titled
from bot.slack.view_context import ViewContext
from bot.slack.views.proposal import word_of
from bot.slack.views.rich_text import Line, bold, moment, name, paragraph, sentence, words
from bot.slack.views.why import reasons_blocks

LINES = 12


def render(reply: ShowReply, view: ViewContext) -> Rendered:
    """Its state, what it belongs to, the first cause and the timeline."""
    word, title = _headline(reply)
    blocks: list[Block] = [header(title), _facts(reply)]
    if reply.findings:
        blocks.append(section(findings_line(reply.findings)))
    if reply.reasons:
        blocks += reasons_blocks(reply.reasons)
    entries = reply.timeline
    lines = [_entry(entry) for entry in entries[-LINES:]]
    earlier = [sentence(counted(len(entries) - LINES, "earlier line"))] if len(entries) > LINES else []
    blocks.append(paragraph([[bold("Timeline, newest last:")], *(earlier + lines or [sentence("nothing yet")])]))
    return title, trim([*blocks, context(f"*{word}* {reply.ref}")])


def _entry(entry: TimelineEntry) -> Line:
    """When, who, and what; all its moments in the reader's own time."""
    by = f" {name(entry.author, 40)}: " if entry.author else " "
    return [moment(entry.at), words(by), *sentence(entry.text, entry.at, 200)]


def _headline(reply: ShowReply) -> tuple[str, str]:
    """The state as a word, and the title; a proposal has both of its own."""
    if proposal := reply.proposal:
        word = word_of(proposal)
        return word, f"{word} · {reply.ref} · {plain_text(proposal.proposal.title, 90)}"
    return reply.state, f"{reply.state} {reply.severity} · {reply.ref} · {plain_text(reply.title, 90)}"


def _facts(reply: ShowReply) -> Block:
    return fields(
        service=name_text(reply.service, 80) if reply.service else "",
        belongs_to=", ".join(ref for ref in (reply.incident, reply.group) if ref != reply.ref),
        lead=plain_text(reply.lead, 40) if reply.lead else "",
        proposals=", ".join(f"{p.ref} {p.state}" for p in reply.proposals if p.ref != reply.ref),
        cause=titled(reply.cause) if reply.cause else "",
    )


def findings_line(findings: Findings) -> str:
    """The first cause in one line; where there is none, how many checks failed."""
    failed = len(findings.not_checked)
    missed = f" {counted(failed, 'check')} failed." if failed else ""
    if well := nothing_wrong(findings):
        return f"*{well}.*{missed}"
    first = findings.first_cause
    return f"*{first.confidence_text.capitalize()}:* {prose(first.cause)}" if first else f"*No cause was found.*{missed}"
