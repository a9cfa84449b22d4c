"""Untrusted text in Markdown that is exported: no picture, link, HTML, code or formula of it lives where it is rendered."""

import re2

_LIVE = re2.compile(r"[\[\]`$*|~]")
_SCHEME = re2.compile(r"://")
_HOST = re2.compile(r"\b(www)\.")
_DANGEROUS = re2.compile(r"(?i)\b(javascript|data|vbscript|file|mailto):")


def literal(text: str) -> str:
    """The text as Markdown shows it letter for letter: signs are escaped, addresses are no links."""
    text = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _LIVE.sub(r"\\\g<0>", text)
    text = _SCHEME.sub(r":\\//", text)
    return str(_DANGEROUS.sub(r"\1\\:", _HOST.sub(r"\1\\.", text)))
