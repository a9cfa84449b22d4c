"""The evidence behind one hypothesis, with the query anyone can run again; and why alerts are one card, or muted."""

from collections.abc import Iterable

from bot.core.alerts.reasons import AlertReasons
from bot.core.evidence import Claim
from bot.core.messages.replies import GroupingReply, WhyReply
from bot.core.tool_calls import without_lead
from bot.slack.blocks import Block, Rendered, code, context, header, section, trim
from bot.slack.untrusted_text import allowed_address, plain_text, prose
from bot.slack.view_context import ViewContext
from bot.slack.views.citing import cite


def render(reply: WhyReply, view: ViewContext) -> Rendered:
    """The hypothesis, its claims and the evidence that they name."""
    following = f"; `why {reply.n + 1}` shows the next" if reply.n < reply.count else ""
    blocks = [
        header(f"Why {reply.n} of {reply.count}: {reply.hypothesis.confidence_text.capitalize()}"),
        section("\n".join(_statements(reply))),
        *_evidence(reply, view),
        *(reasons_blocks(reply.reasons) if reply.reasons else ()),
        context(reply.ref + following),
    ]
    return f"Evidence for hypothesis {reply.n} of {reply.ref}", trim(blocks)


def _statements(reply: WhyReply) -> Iterable[str]:
    hypothesis = reply.hypothesis
    yield f"*{prose(hypothesis.cause)}*"
    yield from (f"• {_claim(claim)}" for claim in hypothesis.claims)
    yield from (f"*Against:* {_claim(claim)}" for claim in hypothesis.against)
    yield from (f"*Not checked:* {prose(without_lead(line))}" for line in hypothesis.not_checked)
    yield from (f"*Ruled out:* {_claim(claim)}" for claim in reply.ruled_out)


def _claim(claim: Claim) -> str:
    return prose(claim.text) + (cite(*claim.evidence) or " (not shown: no evidence was named)")


def _evidence(reply: WhyReply, view: ViewContext) -> Iterable[Block]:
    claims = (*reply.hypothesis.claims, *reply.hypothesis.against)
    for id in dict.fromkeys(id for claim in claims for id in claim.evidence):
        entry = reply.evidence.get(id)
        if entry is None:
            yield section(f"*{prose(id, 12)}*: not in the record")
            continue
        evidence = entry.evidence
        address = allowed_address(evidence.link, view.hosts)
        yield section(f"*{f'<{address}|{id}>' if address else id}* {prose(evidence.summary)}")
        if evidence.query:
            # The check of a whole service runs several queries; each on its own line can be run alone.
            yield code(evidence.query.replace("; ", "\n"))


def render_grouping(reply: GroupingReply) -> Rendered:
    """The reasons of a group without causes, and where its causes stand."""
    blocks = reasons_blocks(reply.reasons) or [section("It has one alert, and no alert of its service is muted.")]
    title = f"Why {reply.ref} is one card"
    return f"{title}. {reply.causes}", trim([header(title), *blocks, context(f"{reply.ref} · {reply.causes}")])


def reasons_blocks(reasons: AlertReasons) -> list[Block]:
    """A section for each kind of reason that there is."""
    parts = {
        "Why these alerts are one group": reasons.joined_lines(),
        f"Muted alerts of {plain_text(reasons.service, 60)} since then": reasons.muted_lines(),
    }
    return [
        section("\n".join([f"*{title}:*", *(prose(line, 240) for line in lines)])) for title, lines in parts.items() if lines
    ]
