"""Slack's markup as a terminal shows it: moments, links and people as words, no marks of bold or code."""

import html
import re
from collections.abc import Mapping

_MOMENT = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<https?://[^|>]*\|([^>]*)>")
_PERSON = re.compile(r"<@([A-Z0-9]+)>")
_BOLD = re.compile(r"(?<!\w)\*([^*\n]+)\*(?!\w)")
_FENCE = re.compile(r"^```\n?", re.MULTILINE)


def plain(text: str, names: Mapping[str, str]) -> str:
    """`text` without markup; `names` are people by their Slack id. Times are the UTC ones that Slack falls back to."""
    text = _LINK.sub(r"\1", _MOMENT.sub(r"\1", text))
    text = _PERSON.sub(lambda m: f"@{names.get(m[1], m[1])}", text)
    return html.unescape(_FENCE.sub("", _BOLD.sub(r"\1", text)).replace("`", ""))
