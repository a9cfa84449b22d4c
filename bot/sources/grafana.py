"""Grafana's webhook contact point: Alertmanager's form with more links; Grafana 8's own alerts and custom payloads too."""

from msgspec.structs import replace

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, source, timed_hmac_hex
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert, read_any_form
from bot.sources._parsing import clean, clean_line, parse
from bot.sources.alertmanager import alerts_of

_NO_RESULTS = {"DatasourceNoData": "no data", "DatasourceError": "its query fails"}
SIGNATURE = timed_hmac_hex("x-grafana-alerting-signature", timestamp_header="x-grafana-alerting-timestamp")


@source("grafana", signatures=(SIGNATURE,), options=())
def grafana(request: SourceRequest) -> ParsedBody:
    """Every alert of the body; its link is the panel, else the dashboard, else the rule."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("Grafana's webhook must be an object", field="body")
    if "alerts" in body:
        parsed = alerts_of(request, body, link=_link)
        return replace(parsed, alerts=tuple(map(_of_its_rule, parsed.alerts)))
    if "ruleUrl" not in body or "ruleId" not in body:
        return read_any_form(request, body)
    return parsed_body([read_alert(request, Item(body, ""), _of_rule(body))])


def _of_its_rule(alert: Alert) -> Alert:
    """Grafana calls what has no data, of whatever rule, by one name: the rule stands in a label."""
    state, rule = _NO_RESULTS.get(alert.name), alert.labels.get("rulename")
    return alert.model_copy(update={"name": clean_line(f"{rule}: {state}", 256)}) if state and rule else alert


def _of_rule(body: dict[str, object]) -> VendorFields:
    """Grafana 8's own alerts: a rule is one alert, and what it measured stands only in the body that fires."""
    identity = f"{first_of(body, 'orgId')}|{first_of(body, 'ruleId')}"
    return VendorFields({AlertField.NAME: first_of(body, "ruleName"), AlertField.FINGERPRINT: identity})


def _link(alert: dict[str, object]) -> str:
    return next((link for key in ("panelURL", "dashboardURL", "generatorURL") if (link := clean(alert.get(key)))), "")
