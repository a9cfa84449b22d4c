"""The storm card: many new groups of one channel as one message, from its first minute to its one end."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.core.alerts.storm import STORM_GROUPS
from bot.core.incident import AlertGroup
from bot.core.messages.alerts import StormContent, StormOrigin
from bot.core.text.durations import elapsed_text
from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, context, header, overflow, section, when, when_beside
from bot.slack.untrusted_text import quoted
from bot.slack.view_context import ViewContext
from bot.slack.views.card import CLEARED, square_of
from bot.slack.views.rich_text import Line, code, labelled, name, paragraph, sentence, words

LINES = 10
"""Groups listed one by one; the rest is counted."""
MAX_SERVICES = 8
MAX_WORDS = 3


def render(storm: StormContent, view: ViewContext) -> Rendered:
    """How much fires since when, where it began, whom that concerns, and the worst of it; at the end how long it took."""
    groups, firing = storm.groups, storm.firing
    if not groups:
        return "Storm over: each group has a card of its own.", [context("*STORM OVER* each group has a card of its own now")]
    word = _word(storm)
    colour = square_of(min(group.severity for group in firing)) if not storm.cleared else CLEARED
    blocks: list[Block | None] = [
        header(f"{colour} {word} · {_size(groups)}"),
        section(_course(storm, view)),
        paragraph([*_origin(storm.origin, len(firing)), *_lines(groups)]),
        actions(overflow("show", [(f"Open {group.ref}", group.ref) for group in firing[:5]])) if firing else None,
        context(" · ".join((f"*{word}* {_open(groups, firing)}", *_unmapped(storm)))),
    ]
    origin = f" Began on {name(storm.origin.service)}." if storm.origin else ""
    return f"{word.capitalize()}: {_size(groups)}, {_open(groups, firing)}.{origin}", [block for block in blocks if block]


def _word(storm: StormContent) -> str:
    if storm.fires:
        return "STORM"
    if not storm.cleared:
        return "STORM NOT CONFIRMED"
    return "STORM CLEARED" if storm.firing else "STORM OVER"


def _size(groups: Sequence[AlertGroup]) -> str:
    """`200 services, 10,000 alerts in 240 groups`."""
    services = {group.service for group in groups}
    alerts = counted(sum(group.alerts for group in groups), "alert")
    return f"{counted(len(services), 'service')}, {alerts} in {counted(len(groups), 'group')}"


def _open(groups: Sequence[AlertGroup], firing: Sequence[AlertGroup]) -> str:
    """How many are still open; of all of them, and of one alone, without counting them again."""
    if not firing:
        return "no group is open any more"
    if len(firing) < len(groups):
        return f"{len(firing):,} of {len(groups):,} groups not resolved"
    return "none resolved yet" if len(groups) > 1 else "not resolved yet"


def _unmapped(storm: StormContent) -> Iterable[str]:
    """Severities that nobody mapped may be worse than what they count as."""
    unmapped = storm.severity_words
    if unmapped:
        more = f" and {len(unmapped) - MAX_WORDS:,} more" if len(unmapped) > MAX_WORDS else ""
        named = ", ".join(quoted(word, 40) for word in unmapped[:MAX_WORDS])
        yield f"severity {named}{more} {'is' if len(unmapped) == 1 else 'are'} not mapped in `severities`"


def _course(storm: StormContent, view: ViewContext) -> str:
    """`Since 14:00:05 · on call @alice`; at the end `14:00:05 to 14:31:10 (31 min) · covered by INC-9`."""
    began = min(group.opened_at for group in storm.groups)
    on_call = "on call " + " ".join(f"<@{user}>" for user in view.mention) if view.mention else ""
    if not storm.cleared:
        return " · ".join(filter(None, (f"Since {when(began)}", on_call, _before(storm))))
    ended = max(filter(None, (group.cleared_at for group in storm.groups)), default=None)
    incidents = sorted({group.incident for group in storm.groups} - {""})
    covered = f"covered by {', '.join(incidents)}" if incidents else "no incident was declared"
    return " · ".join((_span(began, ended), covered))


def _before(storm: StormContent) -> str:
    """Why so few are a storm: the first groups of its minute stand on cards of their own."""
    few = len(storm.groups) <= STORM_GROUPS
    return f"after {STORM_GROUPS} new groups within a minute, which have cards of their own" if few else ""


def _span(began: datetime, ended: datetime | None) -> str:
    return f"{when(began)} to {when_beside(ended, began)} ({elapsed_text(ended - began)})" if ended else f"Since {when(began)}"


def _origin(origin: StormOrigin | None, firing: int) -> Iterable[Line]:
    """Where it seems to come from; untrusted."""
    if origin:
        share = f"{_share(origin.groups, firing)} on it or on what depends on it"
        yield labelled("Suspected origin", f"{name(origin.service)}: {share}")


def _share(groups: int, firing: int) -> str:
    if groups < firing:
        return f"{groups:,} of {firing:,} firing groups {'is' if groups == 1 else 'are'}"
    return {1: "the firing group is", 2: "both firing groups are"}.get(firing, f"all {firing:,} firing groups are")


def _lines(groups: Sequence[AlertGroup]) -> Iterable[Line]:
    """The worst of them; of the rest which services they are on."""
    yield from (sentence(_line(group)) for group in groups[:LINES])
    rest = groups[LINES:]
    if rest:
        services = list(dict.fromkeys(group.service or "unknown" for group in rest))
        named = ", ".join(name(service, 40) for service in services[:MAX_SERVICES])
        more = f" and {counted(len(services) - MAX_SERVICES, 'more service')}" if len(services) > MAX_SERVICES else ""
        yield [*sentence(f"{len(rest):,} more on {named}{more}; ", limit=600), code("list"), words(" shows all")]


def _line(group: AlertGroup) -> str:
    what = f"{name(group.service or 'unknown', 40)} · {name(group.title, 80)}"
    alerts = f" · {counted(group.alerts, 'alert')}" if group.alerts > 1 else ""
    return f"{group.state_word} {group.severity} {group.ref} · {what}{alerts}"
