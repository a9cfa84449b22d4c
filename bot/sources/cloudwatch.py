"""CloudWatch alarms, through Amazon SNS or as EventBridge's events.

Through SNS the message is signed and its topic named in option `topics`; a subscription to such a topic is confirmed by
itself. With a token (an EventBridge API destination, or a password in SNS' address) the token is the proof.
"""

import re
from urllib.parse import quote

from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.leaves import label_pairs
from bot.core.payloads.names import AlertField
from bot.core.payloads.values import is_url
from bot.plugins import ParsedBody, Proof, SourceRequest, source
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert, value_at
from bot.sources._parsing import parse
from bot.sources._sns import is_sns, signed_by_sns, topics_of

STATES = {"ALARM": "firing", "INSUFFICIENT_DATA": "firing", "OK": "resolved"}
"""Whoever has an alarm notify about missing data wants to know: that nothing is measured is not "all clear"."""

_IN_SENTENCE = re.compile(
    r"(?i)\b(severity|service|team|environment|env)\s*[=:]\s*(?:[\"']([^\"'\n]{1,128})[\"']|([a-z0-9](?:[\w./-]{0,126}\w)?))"
)
_IS_SENTENCE = re.compile(r"[=\n]|[.!?]\s|[.!?]$|://")


@source("cloudwatch", proof=Proof("x-amz-sns-message-type", signed_by_sns), options=("topics", "topic"))
def cloudwatch(request: SourceRequest) -> ParsedBody:
    """One alarm; or the confirmation of a subscription. The end of a subscription is taken and ignored."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("SNS and EventBridge send an object", field="body")
    kind = body.get("Type")
    if kind == "SubscriptionConfirmation":
        return _confirmation(request, body)
    if kind == "UnsubscribeConfirmation":
        return ParsedBody(ignored=1)
    if isinstance(body.get("detail"), dict):
        return parsed_body([read_alert(request, Item(_about_its_metric(body), ""), _of_event(body))])
    return _notification(request, body)


def _confirmation(request: SourceRequest, body: dict[str, object]) -> ParsedBody:
    if body.get("TopicArn") not in topics_of(request.config.options):
        raise UnreadableBody("is no topic of this source: add it to options.topics in tocsin.yaml", field="TopicArn")
    url = body.get("SubscribeURL")
    if not is_sns(url):
        raise UnreadableBody("is no address of Amazon SNS", field="SubscribeURL")
    return ParsedBody(confirm_url=str(url))


def _notification(request: SourceRequest, body: dict[str, object]) -> ParsedBody:
    """The alarm is JSON in the message's text. A message of another kind is read as any sender's."""
    message = body.get("Message", body)
    alarm = _embedded_alarm(message)
    if alarm is None:
        text = {"title": body.get("Subject") or message, "message": message}
        return parsed_body(
            [read_alert(request, Item(text, ""), VendorFields({AlertField.STARTS_AT: first_of(body, "Timestamp")}))]
        )
    if "AlarmName" not in alarm:
        return _of_another_sender(request, alarm, "Message" if "Message" in body else "")
    return parsed_body([read_alert(request, Item(alarm, "Message"), _of_alarm(alarm))])


def _of_another_sender(request: SourceRequest, document: dict[str, object], path: str) -> ParsedBody:
    """JSON that is no alarm: budgets and other services of AWS publish such to a topic."""
    try:
        return parsed_body([read_alert(request, Item(document, path))])
    except UnreadableBody:
        raise UnreadableBody("is needed", field=f"{path}.AlarmName" if path else "Message") from None


def _embedded_alarm(message: object) -> dict[str, object] | None:
    if isinstance(message, dict):
        return message
    if not isinstance(message, str) or not message.lstrip().startswith("{"):
        return None
    try:
        inner = parse(message.encode())
    except UnreadableBody as error:
        raise UnreadableBody(str(error), field="Message") from None
    return inner if isinstance(inner, dict) else None


def _of_alarm(alarm: dict[str, object]) -> VendorFields:
    described = _labels_in_description(alarm.get("AlarmDescription"))
    arn, state = str(first_of(alarm, "AlarmArn")), first_of(alarm, "NewStateValue")
    if state and state not in STATES:
        raise UnreadableBody("must be ALARM, OK or INSUFFICIENT_DATA", field="Message.NewStateValue")
    if not first_of(alarm, "AlarmName"):
        raise UnreadableBody("is needed", field="Message.AlarmName")
    return VendorFields(
        {
            AlertField.NAME: first_of(alarm, "AlarmName"),
            AlertField.SUMMARY: first_of(alarm, "AlarmDescription", "NewStateReason"),
            AlertField.STATUS: STATES.get(str(state), "firing"),
            AlertField.SEVERITY: described.get("severity", ""),
            AlertField.SERVICE: described.get("service", ""),
            AlertField.FINGERPRINT: arn,
            AlertField.STARTS_AT: first_of(alarm, "StateChangeTime"),
            AlertField.ENDS_AT: first_of(alarm, "StateChangeTime"),
            AlertField.LINK: _link(arn, str(first_of(alarm, "AlarmName"))),
        },
        {"account": first_of(alarm, "AWSAccountId"), **described},
        start_is_report=_fired_before(first_of(alarm, "OldStateValue")),
    )


def _fired_before(state: object) -> bool:
    """From no data to an alarm, or back, is one alert."""
    return STATES.get(str(state)) == "firing"


def _labels_in_description(text: object) -> dict[str, str]:
    """`severity=critical, service=checkout` in an alarm's description, alone or in a sentence: it has no place of its own."""
    if not isinstance(text, str):
        return {}
    exact = {name: value for name, value in label_pairs(text) if is_url(value) or not _IS_SENTENCE.search(value)}
    return {**{name.lower(): quoted or word for name, quoted, word in _IN_SENTENCE.findall(text)}, **exact}


def _of_event(body: dict[str, object]) -> VendorFields:
    name, arn = first_of(body, "detail.alarmName"), str(first_of(body, "resources.0"))
    if not name:
        return VendorFields()
    state = str(value_at(body, "detail", "state", "value"))
    described = _labels_in_description(value_at(body, "detail", "configuration", "description"))
    if state not in STATES:
        raise UnreadableBody("must be ALARM, OK or INSUFFICIENT_DATA", field="detail.state.value")
    return VendorFields(
        {
            AlertField.NAME: name,
            AlertField.SUMMARY: first_of(body, "detail.configuration.description", "detail.state.reason"),
            AlertField.STATUS: STATES[state],
            AlertField.SEVERITY: described.get("severity", ""),
            AlertField.SERVICE: described.get("service", ""),
            AlertField.FINGERPRINT: arn,
            AlertField.STARTS_AT: first_of(body, "detail.state.timestamp", "time"),
            AlertField.ENDS_AT: first_of(body, "detail.state.timestamp", "time"),
            AlertField.LINK: _link(arn, str(name)),
        },
        {"account": first_of(body, "account"), **described},
        start_is_report=_fired_before(value_at(body, "detail", "previousState", "value")),
    )


def _about_its_metric(body: dict[str, object]) -> dict[str, object]:
    """The event with what its first metric is measured of in place of its resources and source: these name the alarm."""
    dimensions = value_at(body, "detail", "configuration", "metrics", "0", "metricStat", "metric", "dimensions")
    return {**body, "resources": [], "source": "", "dimensions": dimensions} if dimensions else body


def _link(arn: str, name: str) -> str:
    """The alarm's page in the console of its region (arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME)."""
    parts = arn.split(":")
    if len(parts) < 7 or parts[1] != "aws" or not parts[3].replace("-", "").isalnum():
        return ""
    region = parts[3]
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"
