"""Untrusted text made safe for Slack: no mention, no live link, no line of its own, no imitation of a card.

Everything an alert, a log, a person or a model says passes here. What people
copy (a query, a command) stands in a code span, where Slack renders no markup;
sentences and titles stand in quotation marks with their markup turned into
look-alike letters, since they are read more often than copied; one plain word
(a service) stands as it is. Everywhere the three control characters are
escaped, so that `<!channel>` and `<@U1>` are letters; addresses are defanged
unless their host is allowed by configuration.
"""

import re
from collections.abc import Collection
from urllib.parse import quote, urlsplit

from bot.core.text.link_prefixes import leads_within
from bot.core.text.untrusted import escape_controls, one_line
from bot.slack.limits import LIMIT

_ADDRESS = re.compile(r"((?:[a-z][a-z0-9+.-]{1,20}:){1,4})(?://|\\\\)[^\s<>|\"'`,;)\]}]*", re.IGNORECASE)
"""A whole address: its scheme, schemes around it (`jndi:ldap:`), and what pretends to be a user or names a port."""
_NO_SLASHES = re.compile(
    r"(?<![a-z])(mailto|javascript|vbscript|data|file|slack|tel|sms|sip|skype|callto|magnet|intent|view-source):(?=\S)",
    re.IGNORECASE,
)
_WWW = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_HOST = re.compile(r"//([a-z0-9.-]+)(?::\d+)?(?=[/?#]|$)", re.IGNORECASE)
"""No user info: `//allowed@attacker` belongs to the attacker."""
_ENDS = re.compile(r"[\s\"'`,;)\]}]|\Z")
"""Where an address ends; some clients read `//allowed<...>@attacker` as the attacker's."""
_MARKUP = str.maketrans({"*": "∗", "`": "'"})
_EMOJI = re.compile(
    r"(?<!\d):(?=(?:[a-z+][a-z0-9+_'-]{0,60}|-1|\d{1,4}[a-z_][a-z0-9_-]{0,60}|100|1234):)|:(?=[a-z][a-z_-]{2,60}:)"
)
"""`:siren:`, `:+1:`, `:8ball:`; never a part of a time (`14:02:15`) or of a port."""
_BLOCK_QUOTE = re.compile(r"\A[>\s]*>")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})
_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*…?")
_UNDERLINE = re.compile(r"(?<!\w)_|_(?!\w)")


def escape(text: str) -> str:
    """Slack's three control characters as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """Untrusted text as one line in a code span: `limit` characters, defanged, its own backticks turned into quotes."""
    shown = one_line(text, limit).replace("`", "'")
    return f"`{escape(defang(shown))}`" if shown else "`(empty)`"


def prose(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """An untrusted sentence (a model's, a person's) as running text: its markup and emoji become look-alike letters."""
    shown = _UNDERLINE.sub("ˍ", one_line(text, limit).translate(_MARKUP))
    if shown.count("~") > 1:
        shown = shown.replace("~", "∼")
    shown = _BLOCK_QUOTE.sub(lambda match: match.group().replace(">", "›"), shown)
    return escape(defang(_EMOJI.sub("꞉", shown)))


def titled(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """An untrusted title or sentence in quotation marks, so that nobody takes it for the bot's own words."""
    return f"“{prose(text, limit).translate(_QUOTES) or '(empty)'}”"


def is_plain_name(text: str, limit: int = 60) -> bool:
    """Whether a name is one plain word, which alone says nothing."""
    return _NAME.fullmatch(one_line(text, limit)) is not None


def name_text(text: str, limit: int = 60) -> str:
    """An untrusted name: one plain word stands as it is, since a word alone says nothing; more comes in quotation marks."""
    return prose(text, limit) if is_plain_name(text, limit) else titled(text, limit)


def plain_text(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """Untrusted text for places without markup: names, headers, buttons, the fallback that a screen reader reads."""
    return prose(text, limit)


def plain_lines(text: str, limit: int = LIMIT["untrusted"]) -> str:
    """One line of untrusted text for rich text, where nothing is parsed; whoever copies it into a message mentions nobody."""
    return defang(one_line(text, limit)).replace("<", "‹").replace(">", "›")


def code_lines(text: str, hosts: Collection[str] = ()) -> str:
    """Untrusted text for a code block: lines stay, everything else as in `quoted`; addresses of `hosts` stand as they are."""
    lines = [escape_controls(line).replace("`", "'") for line in text.replace("\r\n", "\n").split("\n")]
    return escape(defang("\n".join(lines), hosts))


def defang(text: str, hosts: Collection[str] = ()) -> str:
    """Break addresses so that no client makes links of them: `https://a.example` becomes `hxxps[:]//a[.]example`.

    Those of `hosts` are left whole: somebody may have to run by hand what they are shown.
    """
    parts, copied = [], 0
    for address in _ADDRESS.finditer(text):
        shown = address.group() if _is_allowed(address, hosts) else _without_slashes(_broken(address))
        parts += [_without_slashes(text[copied : address.start()]), shown]
        copied = address.end()
    return "".join([*parts, _without_slashes(text[copied:])])


def _is_allowed(address: re.Match[str], hosts: Collection[str]) -> bool:
    host = _HOST.match(address.group(), address.end(1) - address.start())
    if host is None or not _ENDS.match(address.string, address.end()):
        return False
    return address.group(1).lower() in ("http:", "https:") and host.group(1).lower() in hosts


def _without_slashes(text: str) -> str:
    """What clients make links of though it has no `//`, broken."""
    text = _NO_SLASHES.sub(lambda m: m.group(1) + "[:]", text)
    return _WWW.sub(lambda m: m.group()[:3] + "[.]", text)


def _broken(address: re.Match[str]) -> str:
    schemes, rest = address.group(1), address.group()[len(address.group(1)) :]
    host = re.match(r"(?://|\\\\)[^/?#]*", rest)
    end = host.end() if host else 0
    broken = schemes.replace("tt", "xx").replace("TT", "XX") + rest[:end].replace(".", "[.]") + rest[end:]
    return broken.replace(":", "[:]")


def link(label: str, url: str, hosts: Collection[str]) -> str:
    """A live link if it leads where `hosts` allow, else the label and the defanged address. The label may be untrusted."""
    if safe := allowed_address(url, hosts):
        return f"<{safe}|{plain_text(label).replace('|', '¦') or 'link'}>"
    return f"{quoted(label)} ({quoted(url)})" if url else quoted(label)


def allowed_address(url: str, hosts: Collection[str]) -> str:
    """The address, ready for a link, if it is http(s) to an allowed host (`host`) or below its path (`host/path`); else "".

    User info, backslashes, control and non-ASCII characters in the host are
    refused rather than repaired: parsers disagree about them.
    """
    if not url or len(url) > LIMIT["button.url"] or any(char in url for char in "\\\r\n\t ") or escape_controls(url) != url:
        return ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return ""
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and parts.netloc.isascii()
    if not plain or not leads_within(host.lower(), parts.path, hosts):
        return ""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
