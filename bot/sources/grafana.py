"""Grafana's webhook contact point: Alertmanager's form with more links; Grafana 8's own alerts and custom payloads too."""

from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, SourceRequest, source, timed_hmac_hex
from bot.sources._any_form import read_any_form
from bot.sources._parsing import clean, parse
from bot.sources.alertmanager import alerts_of

SIGNATURE = timed_hmac_hex("x-grafana-alerting-signature", timestamp_header="x-grafana-alerting-timestamp")


@source("grafana", signatures=(SIGNATURE,), options=())
def grafana(request: SourceRequest) -> ParsedBody:
    """Every alert of the body; its link is the panel, else the dashboard, else the rule."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("Grafana's webhook must be an object", field="body")
    return alerts_of(request, body, link=_link) if "alerts" in body else read_any_form(request, body)


def _link(alert: dict[str, object]) -> str:
    return next((link for key in ("panelURL", "dashboardURL", "generatorURL") if (link := clean(alert.get(key)))), "")
