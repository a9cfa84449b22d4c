"""A Slack channel into which other bots post alerts: each message, with its edits and its thread, is one alert.

The bot's Slack connection hands messages here, so this source has no address and no token. The body is
`{"channel": "C1", "message": <the message as Slack has it>}`.
"""

import re
from datetime import datetime

from bot.core.alert import Alert, Status
from bot.core.errors import UnreadableBody
from bot.core.payloads.values import State, is_green, means_resolved, says_firing, state_of
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._parsing import annotations, clean, clean_line, fingerprint, labels, parse
from bot.sources.slack._text import SlackText, read_message

_BRACKETS = re.compile(r"^\s*\[([^\]]{0,40})\]\s*")
_EMOJI = re.compile(r":[a-z0-9_+-]{2,40}:|[\u2600-\u27bf\U0001f000-\U0001faff\ufe0f]")
_OVER_EMOJI = re.compile(r":(?:\w*check_mark|large_green_circle|green_circle|green_heart|tada):|[\u2705\u2714\U0001f7e2]")
_OVER = re.compile(r"^(?i:resolved|recovered)\b|\bis UP\b|\bis OK\W*$|\bis (?:back )?healthy\W*$|\bcame back (?:up|online)\W*$")
"""Beside `says_resolved`. No small "is up": error rates are up too."""
_ENDS = "recovered|resolved|recovery|ok|up|back to normal"
_STATES = (
    rf"{_ENDS}|triggered|firing|alerting|alert|alarm|warn|warning|error|critical|problem|failure|no data|down|acknowledged"
    r"|acknowledgement|new incident"
)
_BESIDE = rf"(?:{_STATES}|incident|check|monitor|service|host|is)"
_AFTER_STATE = r"(?:\s+in\s+[\d\s.,wdhms]{1,20})?(?:\s*[:|\u2013\u2014]+|\s+-+(?=\s))\s*"
_PREFIX = re.compile(
    rf"(?i)^(?:re-?)?(?=[^:|\u2013\u2014]*\b(?:{_STATES})\b){_BESIDE}(?:\s+{_BESIDE}){{0,3}}{_AFTER_STATE}"
    r"|^(?:triggered|recovered|resolved)\s+(?=#)"
)
"""`PROBLEM Service Alert:`, `Check recovery:`, `Resolved in 5m 0s:`."""
_END_FIRST = re.compile(rf"(?i)^(?:{_BESIDE}\s+){{0,3}}(?:{_ENDS})(?:\s+(?:service|host)\s+alert)?{_AFTER_STATE}")
_MARK = re.compile(rf"(?i)(\S.*?)\s*\[\W{{0,4}}(?:{_STATES})\W{{0,4}}\]")
"""`[Shop] [Down] timeout`: behind the mark stands what was seen this time."""
_SUFFIX = re.compile(
    r"(?i)\s+(?:(?:has|have|is|are) (?:now |been |fully |back )*"
    r"(?:recovered|resolved|to normal|cleared|triggered|firing|up|down|healthy|unhealthy|ok|failed|failing|passed|passing"
    r"|critical|warning|unknown)|(?:went|came) (?:back )?(?:up|down|online|offline))\W*$"
    r"|[.,]\s+it was (?:down|up)\b.*$|\s+-\s+reason:.*$"
)
_MEASURED = re.compile(r"\b\d+(?:\.\d+)?\s?(?:%|ms|s|min|m|h|[kmgt]i?b|/s)(?!\w)|\b\d+\.\d+\b")
_SEVERITY = re.compile(r"(?i)\b(critical|fatal|emergency|page|warning|p[0-5]|sev[ -]?[0-5])\b")
_SEVERITY_FIELDS = ("severity", "priority", "level", "urgency")
_THINGS = ("service", "host", "hostname", "instance", "pod", "node", "container", "cluster", "namespace", "job", "app",
           "region", "environment", "env", "monitor", "alertname", "check", "device", "database")  # fmt: skip
"""Fields that tell two alerts of one title apart."""
_OF_ALL = re.compile(r"(?i)(?:\S+\s+){0,3}(?:alert|notification)s?")
_NAMES = ("alertname", "alert", "monitor", "check", "name", "title", "message", "summary", "description")
"""Fields that name the alert where the title does not."""
_EDGES = " :|-\u2013\u2014"
_MAX_TITLES = 3
"""Of so many first lines, one may say that it is over."""


@source("slack_channel", takes=("slack",), needs=("channel",), options=("channel", "bots", "service"))
def slack_channel(request: SourceRequest) -> ParsedBody:
    """The alert that one message tells of: over if its title, status, emoji or colour says so, else it fires.

    Options: `channel` (its id; needed), `bots` (ids of the bots, apps or users that count; default every bot but Tocsin
    itself), `service` (whose alerts the channel holds, where the messages name none).
    """
    body = parse(request.body)
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(message, dict):
        raise UnreadableBody("is missing", field="message")
    text = read_message(message)
    head = _head(text)
    if not head:
        raise UnreadableBody("the message holds no text that could name an alert", field="message.text")
    return ParsedBody(alerts=(_alert(request, text, head, str(body.get("channel", "")), message),))


def _head(text: SlackText) -> str:
    """The line that names the alert; "" if none does. A title such as "Monitoring alert" stands above all messages."""
    head = next((head for head in text.titles if title_of(head)), "")
    names = (text.fields[name] for name in _NAMES if title_of(text.fields.get(name, "")))
    return next(names, head) if _OF_ALL.fullmatch(head) else head


def _alert(request: SourceRequest, text: SlackText, head: str, channel: str, message: dict[str, object]) -> Alert:
    severity = next((text.fields[name] for name in _SEVERITY_FIELDS if name in text.fields), "") or _severity_in(text.titles)
    named = {name: value for name, value in text.fields.items() if name in _THINGS}
    if severity:
        named["severity"] = severity
    if service := request.config.options.get("service"):
        named.setdefault("service", str(service))
    cleaned = labels(named)
    status, at, title = _status(text), request.received_at, title_of(head)
    # "payments is down" is a better name than "payments"; that it is back to normal is not.
    name = clean_line(title if status == "resolved" else _without_state(head), 256)
    author = clean_line(message.get("bot_id") or message.get("user"))
    things = {name: cleaned[name] for name in _THINGS if name in cleaned}
    return Alert(
        source=request.source,
        fingerprint=fingerprint([channel, author, _MEASURED.sub("#", title.lower()), things]),
        status=status,
        name=name,
        severity=cleaned.get("severity", ""),
        labels={"alertname": name, **cleaned},
        annotations=annotations({"summary": _summary(text, title), "message": "\n".join(text.lines)}),
        starts_at=at,
        ends_at=at if status == "resolved" else None,
        link=clean(text.link or _archived(channel, message.get("ts"), at)),
    )


def _summary(text: SlackText, title: str) -> str:
    """What the message says beside its title and its fields."""
    labelled = (*_THINGS, *_SEVERITY_FIELDS, "status", "state", "labels")
    pairs = {value for name, value in text.fields.items() if name in labelled}
    prose = [line for line in text.lines if title_of(line) != title and not any(line.endswith(value) for value in pairs)]
    return "\n".join(prose) or title


def title_of(line: str) -> str:
    """A title without what changes while it is the same alert: emoji, state, counters and priorities."""
    title = _without_state(line)
    marked = _MARK.match(title)
    return _SUFFIX.sub("", marked[1] if marked else title).strip(_EDGES)


def _without_state(line: str) -> str:
    """A title without what stands in front of it."""
    rest, before = _EMOJI.sub("", line).strip(), ""
    while rest != before:
        before = rest
        if (match := _BRACKETS.match(rest)) and _changes(match[1]):
            rest = rest[match.end() :]
        rest = _PREFIX.sub("", rest)
    return rest.strip(_EDGES)


def _changes(bracketed: str) -> bool:
    words = re.split(r"[\W\d]+", bracketed)
    return bool(_SEVERITY.fullmatch(bracketed.strip())) or any(state_of(word) for word in words if word)


def _status(text: SlackText) -> Status:
    titles = text.titles[:_MAX_TITLES]
    bare = [_EMOJI.sub("", title).strip() for title in titles]
    stated = state_of(text.fields.get("status") or text.fields.get("state") or "")
    if stated is not None:
        return "resolved" if stated is State.RESOLVED else "firing"
    for title in bare:
        if means_resolved(title) or _OVER.search(title) or _END_FIRST.match(title):
            return "resolved"
        if says_firing(title):
            return "firing"
    green = bool(text.colours) and all(map(is_green, text.colours))
    return "resolved" if green or any(_OVER_EMOJI.match(title.strip()) for title in titles) else "firing"


def _severity_in(titles: tuple[str, ...]) -> str:
    match = next((match for title in titles[:_MAX_TITLES] if (match := _SEVERITY.search(title))), None)
    return match[1].lower() if match else ""


def _archived(channel: str, ts: object, at: datetime) -> str:
    return f"https://slack.com/archives/{clean_line(channel)}/p{str(ts or at.timestamp()).replace('.', '')}"
