"""Bodies that arrive as a form: the JSON in it, and what to say of a body that is no JSON at all."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 64
SHOWN_FIELDS = 5
SHOWN_BYTES = 4096
"""Of a form that cannot be read: the names of the fields in it are shown."""
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)
_JSON = (b"{", b"[")


def json_of(headers: Mapping[str, str], body: bytes) -> bytes:
    """The JSON that a form holds in one of its fields, as GitHub's `payload=` does; any other body as it is.

    curl calls whatever it posts a form: one that begins like JSON is JSON.
    """
    if _begins_like_json(body) or _media_type(headers) != FORM:
        return body
    values = [value.encode() for _, value in _fields(body)]
    candidates = [value for value in values if _begins_like_json(value)]
    return candidates[0] if len(candidates) == 1 else body


def arrival(headers: Mapping[str, str], body: bytes) -> str:
    """How a body came that does not begin like JSON, and what is expected; "" for one that does."""
    media_type = _media_type(headers)
    if _begins_like_json(body) or not media_type:
        return ""
    names = (
        list(dict.fromkeys(one_line(redact(name), 40) for name, _ in _fields(body[:SHOWN_BYTES]))) if media_type == FORM else []
    )
    more = f" and {len(names) - SHOWN_FIELDS} more" if len(names) > SHOWN_FIELDS else ""
    fields = f" with the fields {', '.join(names[:SHOWN_FIELDS])}{more}" if names else ""
    how = "as the body, or in one field of the form, such as payload=" if media_type == FORM else "as the body"
    return f"It came as {media_type}{fields}. Expected is JSON {how}"


def _begins_like_json(body: bytes) -> bool:
    return body.startswith(_JSON) or body[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_JSON)


def _media_type(headers: Mapping[str, str]) -> str:
    name = headers.get("content-type", "").partition(";")[0].strip().lower()
    return name if _MEDIA_TYPE.fullmatch(name) else ""


def _fields(body: bytes) -> list[tuple[str, str]]:
    """Names and values; none where it is no form, or one of too many fields."""
    try:
        return parse_qsl(body.decode(errors="replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        return []
