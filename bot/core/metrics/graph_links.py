"""Addresses of Prometheus' own page for an expression, as alerts carry them (`generatorURL`)."""

from urllib.parse import parse_qsl, urlencode, urlsplit


def on_own_page(url: str, public_url: str) -> str:
    """The same expression on the page of the Prometheus that is configured; "" if the address is of no such page.

    Without `--web.external-url` a Prometheus names itself by its host's name, which is no address that anybody configured.
    Only the expression and how it is shown are taken over, never the address.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
    except ValueError:
        return ""
    if not public_url or not parts.path.endswith("/graph") or not query.get("g0.expr"):
        return ""
    shown = {"g0.expr": query["g0.expr"], "g0.tab": "1" if query.get("g0.tab") == "1" else "0"}
    return f"{public_url.rstrip('/')}/graph?{urlencode(shown)}"
