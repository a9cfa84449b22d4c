"""Rich text: lines of pieces that Slack never parses, so others' text stands in them as it is.

Moments that the bot's own sentences tell in UTC are shown in each reader's time. Mentions that have to notify somebody stand in
mrkdwn beside it.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bot.core.text.moments import date_and_clock
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import is_plain_name, plain_lines

Piece = dict[str, object]
"""An element of rich text, as the JSON of Slack's Block Kit."""
Line = Sequence[Piece]

_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_CLOCK = re.compile(rf"(?<![\w:.])(?:(\d{{4}}-\d\d-\d\d) )?({_TIME})(?: UTC\b|(?= (?:and|to) {_TIME} UTC\b))")
"""A time of day with its zone, or the first of two whose zone stands behind both: `between 14:01:10 and 14:02:15 UTC`."""
ANY_DAY = "{date_short_pretty} {time_secs}"


def paragraph(lines: Iterable[Line]) -> Piece:
    """A block of lines; empty ones are left out."""
    elements: list[Piece] = []
    for line in filter(None, lines):
        elements += [_break(), *line] if elements else line
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements or [words("-")]}]}


def words(text: str, limit: int = LIMIT["section"]) -> Piece:
    """Text as it is, on one line; controls are visible and addresses broken."""
    return {"type": "text", "text": _spaced(text, limit) or " "}


def bold(text: str) -> Piece:
    """A label."""
    return {**words(text), "style": {"bold": True}}


def code(text: str) -> Piece:
    """What people type."""
    return {**words(text), "style": {"code": True}}


def labelled(label: str, text: str, near: datetime | None = None) -> Line:
    """`Likely: deploy 2.0 broke checkout`, the label bold; without a text the label alone."""
    return [bold(f"{label}:"), words(" "), *sentence(text, near)] if text else [bold(f"{label}.")]


def sentence(text: str, near: datetime | None = None, limit: int = LIMIT["untrusted"]) -> Line:
    """A sentence with its moments in the reader's own time. `near`: a clock time without a date is the nearest one to it."""
    shown, pieces, copied = _spaced(text, limit), list[Piece](), 0
    for clock in _CLOCK.finditer(shown) if near else ():
        if near and (at := _moment(clock, near)):
            pieces += [_text(shown[copied : clock.start()]), moment(at, _style(clock), clock[0])]
            copied = clock.end()
    return [piece for piece in (*pieces, _text(shown[copied:])) if piece.get("text") != ""]


def moment(at: datetime, style: str = ANY_DAY, fallback: str = "") -> Piece:
    """A moment in each reader's own time zone; clients that cannot do so show `fallback`, else UTC."""
    shown = fallback or f"{date_and_clock(at)} UTC"
    return {"type": "date", "timestamp": int(at.timestamp()), "format": style, "fallback": shown}


def local_times(text: str, near: datetime | None) -> str:
    """The same in mrkdwn that was made safe: its clock times as Slack's dates."""
    if near is None:
        return text
    return _CLOCK.sub(lambda clock: _in_mrkdwn(clock, near), text)


def title(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """An untrusted title in quotation marks, so that nobody takes it for the bot's own words."""
    return f"“{_spaced(text, limit).translate(_QUOTES) or '(empty)'}”"


def name(text: str, limit: int = 60) -> str:
    """An untrusted name: one plain word stands as it is, more comes in quotation marks."""
    return text if is_plain_name(text, limit) else title(text, limit)


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})


def _text(text: str) -> Piece:
    return {"type": "text", "text": text}


def _break() -> Piece:
    return _text("\n")


def _spaced(text: str, limit: int) -> str:
    """As one line, with the spaces at its ends: pieces stand side by side."""
    shown = plain_lines(text, limit)
    before, after = (" " if shown and text[:1] == " " else ""), (" " if shown and text[-1:] == " " else "")
    return f"{before}{shown}{after}"


def _moment(clock: re.Match[str], near: datetime) -> datetime | None:
    """What a clock time means; None where it names a day that there is not."""
    time = clock[2]
    around = (near.astimezone(UTC).date() + timedelta(days=offset) for offset in (-1, 0, 1))
    try:
        moments = [datetime.fromisoformat(f"{day}T{time}+00:00") for day in ([clock[1]] if clock[1] else around)]
    except ValueError:
        return None
    return min(moments, key=lambda at: abs(at - near))


def _in_mrkdwn(clock: re.Match[str], near: datetime) -> str:
    at = _moment(clock, near)
    return f"<!date^{int(at.timestamp())}^{_style(clock)}|{clock[0]}>" if at else clock[0]


def _style(clock: re.Match[str]) -> str:
    """As exact as it was written: with its day, and with seconds."""
    time = "{time_secs}" if clock[2].count(":") == 2 else "{time}"
    return f"{{date_short_pretty}} {time}" if clock[1] else time
