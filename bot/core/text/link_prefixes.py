"""Where live links may lead: to hosts of the team's own, and on hosts that many parties share only below the team's own path.

A prefix is `host` or `host/path`, its host in lower case, its path as it was written.
"""

import re
from collections.abc import Collection, Iterable
from urllib.parse import SplitResult, unquote, urlsplit

OWNER_SEGMENTS = {
    "app.datadoghq.com": 1,
    "app.datadoghq.eu": 1,
    "app.opsgenie.com": 1,
    "app.slack.com": 2,
    "bitbucket.org": 1,
    "codeberg.org": 1,
    "console.aws.amazon.com": 1,
    "console.cloud.google.com": 1,
    "dev.azure.com": 1,
    "docs.google.com": 3,
    "drive.google.com": 3,
    "gist.github.com": 1,
    "github.com": 1,
    "gitlab.com": 1,
    "grafana.com": 2,
    "huggingface.co": 1,
    "linear.app": 1,
    "notion.so": 1,
    "raw.githubusercontent.com": 1,
    "s3.amazonaws.com": 1,
    "sentry.io": 2,
    "sites.google.com": 2,
    "storage.googleapis.com": 1,
    "trello.com": 2,
    "us3.datadoghq.com": 1,
    "us5.datadoghq.com": 1,
    "www.notion.so": 1,
}
"""Hosts where anybody may have pages -> how many segments of a path say whose they are."""
SHARED_DOMAINS = (".atlassian.net", ".grafana.net", ".sentry.io", ".sharepoint.com", ".notion.site")
"""Their hosts belong to one customer, or to a region: a path counts where one is configured."""


def link_prefix(entry: str) -> str:
    """The prefix of an entry (`wiki.example.com`, `github.com/our-org` or its whole address); "" if it allows nothing."""
    if "/" not in entry:
        host, path = entry, ""
    else:
        parts = _parts(entry if "//" in entry else f"//{entry}")
        host, path = (parts.hostname or "", parts.path.rstrip("/")) if parts else ("", "")
    host = host.lower().rstrip(".")
    return host + path if host and path.count("/") >= OWNER_SEGMENTS.get(host, 0) else ""


def own_prefix(address: str) -> str:
    """The prefix of a system's own address: its host, with its path where others share the host."""
    prefix = link_prefix(address)
    host = prefix.partition("/")[0]
    return prefix if host in OWNER_SEGMENTS or host.endswith(SHARED_DOMAINS) else host


def owner_prefix(address: str) -> str:
    """The shortest prefix that says whose an address is; "" where it does not, or a template fills that in."""
    host, *segments = link_prefix(address).split("/")
    prefix = "/".join([host, *segments[: OWNER_SEGMENTS.get(host, 0)]])
    return "" if "{" in prefix else prefix


def leads_within(host: str, path: str, prefixes: Collection[str]) -> bool:
    """Whether an address, its host in lower case, lies at or below a prefix; a path that climbs lies below no path."""
    place = host + path
    below = (prefix for prefix in prefixes if place == prefix or place.startswith(prefix + "/"))
    return any("/" not in prefix or not _climbs(path) for prefix in below)


def link_notices(entries: Iterable[str]) -> list[str]:
    """What a team should know of entries that allow nothing."""
    return [
        f"links.hosts: {entry} allows no link: others have pages there too, so name your own path as well (github.com/your-org)"
        for entry in entries
        if not link_prefix(entry)
    ]


def _climbs(path: str) -> bool:
    """Whether a browser or a server may read `..` in it, however it is written."""
    segments = re.split(r"[/\\]", unquote(unquote(path)))
    return any(segment.partition(";")[0] in (".", "..") for segment in segments)


def _parts(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
