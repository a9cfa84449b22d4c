"""Notifications of HCP Terraform (Terraform Cloud) and Terraform Enterprise as changes, signed with HMAC-SHA-512."""

from bot.core.change import Change
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._parsing import clean, clean_line, start_moment
from bot.sources.changes._reading import JsonObject, changes_of_services, objects, read_object, required_text, services_of


@source(
    "terraform",
    takes=("changes",),
    signatures=(hmac_hex("x-tfe-notification-signature", algorithm="sha512"),),
    options=("services",),
)
def terraform(request: SourceRequest) -> ParsedBody:
    """A run that was applied is a configuration change of its workspace; all else, also the verification, is taken and ignored.

    Take the trigger "Completed": a run that planned no change is no change. Option: `services: {workspace: service or
    services}`, else the workspace's name.
    """
    body = read_object(request, "Terraform")
    if not isinstance(body.get("notifications"), list):
        raise UnreadableBody("is missing", field="notifications")
    applied = [notice for notice in objects(body["notifications"]) if notice.get("run_status") == "applied"]
    return ParsedBody(changes=_of_run(request, body, applied[-1]) if applied else ())


def _of_run(request: SourceRequest, body: JsonObject, notice: JsonObject) -> tuple[Change, ...]:
    workspace, run = required_text(body, "workspace_name"), required_text(body, "run_id")
    return changes_of_services(
        request,
        services_of(request, workspace),
        id=run,
        at=start_moment(notice.get("run_updated_at"), "notifications.run_updated_at", request.received_at),
        kind="config",
        title=f"Terraform applied {workspace}: {clean(body.get('run_message'), 300)}".rstrip(": "),
        author=notice.get("run_updated_by") or body.get("run_created_by"),
        version=clean_line(run, 64),
        link=body.get("run_url"),
    )
