"""New Relic's webhook: the template that workflows offer, and the one that older notification channels sent."""

from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert, read_despite_form
from bot.sources._parsing import parse


@source("newrelic", options=())
def newrelic(request: SourceRequest) -> ParsedBody:
    """One issue. `state` says whether it is over (CLOSED); an acknowledged one still fires."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("New Relic's webhook must be an object", field="body")
    if not first_of(body, "title", "condition_name", "alertConditionNames.0"):
        return read_despite_form(request, body, UnreadableBody("an issue has a title", field="title"))
    return parsed_body([read_alert(request, Item(body, ""), _fields(body))])


def _fields(body: dict[str, object]) -> VendorFields:
    start = first_of(body, "activatedAt", "createdAt")
    return VendorFields(
        {
            AlertField.NAME: first_of(body, "title", "condition_name", "alertConditionNames.0"),
            AlertField.SUMMARY: first_of(body, "details", "conditionDescription", "alertConditionNames.0"),
            AlertField.STATUS: first_of(body, "state", "current_state"),
            AlertField.SEVERITY: first_of(body, "priority", "severity"),
            AlertField.FINGERPRINT: first_of(body, "id", "issueId", "incident_id"),
            AlertField.SERVICE: first_of(body, "impactedEntities.0", "entitiesData.names.0", "targets.0.name"),
            AlertField.STARTS_AT: start or first_of(body, "timestamp"),
            AlertField.ENDS_AT: first_of(body, "closedAt", "updatedAt"),
            AlertField.LINK: first_of(body, "issueUrl", "issuePageUrl", "incident_url"),
        },
        {"policy": first_of(body, "alertPolicyNames.0", "policy_name")},
        str(first_of(body, "policy_name", "alertPolicyNames.0")),
        start_is_report=not start,
    )
