"""Rules of what is always grouped, made of merges."""

import zlib
from collections.abc import Collection, Sequence

from bot.commands._grouping_rules import applying, why_none
from bot.commands._readable_services import unread_services
from bot.commands._subject import name_of, subject_of
from bot.core.alerts.ties.grouping_rules import BackTest
from bot.core.errors import NotFound
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import counted
from bot.plugins import Field, Form, Reply, Request, command
from bot.store.alerts.ties.grouping_rules import GroupingRules, ListedRule
from bot.workflows.command_context import CommandContext


@command("always", aliases=("rules",), usage="always AL-3 | always list | always remove GR-2", who="members", opens_form=True)
async def always(ctx: CommandContext, request: Request) -> Reply | Form:
    """Always group like the last merge into a group: shown first what that would have joined over the last days."""
    word, _, rest = request.text.strip().partition(" ")
    rules = GroupingRules(ctx.db)
    if word == "list" or request.verb == "rules":
        return await _list(ctx, request, await rules.listed())
    if word == "remove":
        removed = await rules.remove(rest.strip().upper(), name_of(request.actor))
        text = f"{name_of(request.actor)} removed GR-{removed.number} ({removed.draft.text}). What it grouped stays together."
        return Reply(text, private=False)
    if word and not request.fields:
        raise NotFound(f"always takes a group, list or remove, not {word[:40]}: always AL-3. Nothing was changed.")
    subject = await subject_of(ctx, request)
    drafts = await rules.drafts(subject.group)
    offered = await applying(ctx, drafts)
    if not offered:
        return Reply(f"{why_none(drafts[0])} Nothing was changed.")
    tested = await rules.test(offered)
    if request.fields and request.revision == _revision(tested):
        return await _accept(rules, request, tested, subject.group)
    return _form(tested, subject.group)


def _revision(tested: Sequence[BackTest]) -> int:
    """Of what the dialog offers: an answer to another one shows it anew."""
    return zlib.crc32("\n".join(one.draft.text for one in tested).encode()) % 10**9


def _form(tested: Sequence[BackTest], ref: str) -> Form:
    options = [(str(number), one.draft.text) for number, one in enumerate(tested)]
    return Form(
        "Always group",
        "always",
        ref=ref,
        revision=_revision(tested),
        intro="From now on alerts of both sides are one card, where one comes within 5 minutes of the other.",
        code="\n\n".join(one.text for one in tested),
        fields=[Field("rule", "Which rule?", kind="select", options=options, value="0" if len(options) == 1 else "")],
        submit="Always group",
    )


async def _accept(rules: GroupingRules, request: Request, tested: Sequence[BackTest], ref: str) -> Reply:
    chosen = request.fields.get("rule", "")
    if not chosen.isdecimal() or int(chosen) >= len(tested):
        raise NotFound("Choose one of the rules. Nothing was changed.")
    rule = await rules.accept(tested[int(chosen)], name_of(request.actor), f"always:{request.key}")
    ref_of_rule, what = f"GR-{rule.number}", rule.draft.text
    text = f"{rule.owner} made a rule ({ref_of_rule}): {what} is one outage. To end it: always remove {ref_of_rule}."
    return Reply(text, private=False, about=ref)


async def _list(ctx: CommandContext, request: Request, listed: Sequence[ListedRule]) -> Reply:
    if not listed:
        return Reply("There are no rules. After a merge, always AL-3 makes one of it.")
    unread = await unread_services(ctx, request, {service for one in listed for service in one.rule.draft.services})
    return Reply("\n".join(_line(one, unread) for one in listed))


def _line(one: ListedRule, unread: Collection[str]) -> str:
    since, draft = f"{one.rule.owner}, {date_to_the_minute(one.created_at)}", one.rule.draft
    what = draft.text if draft.services.isdisjoint(unread) else "alerts of a channel that is not read here"
    return f"GR-{one.rule.number} {what} ({since}): it grouped {counted(one.grouped, 'alert')}."
