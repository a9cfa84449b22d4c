"""GitHub's `deployment_status` webhook as changes; signed with X-Hub-Signature-256 or sent with our token."""

from bot.core.change import Change
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._parsing import clean, parse, started, word


@source("github", takes=("changes",), signature_header="x-hub-signature-256")
def github(request: SourceRequest) -> ParsedBody:
    """A deployment that succeeded is a change of the repository's service; other events and states are accepted and ignored.

    Options: `services: {repository: service}`, else the repository's name; `environment` (default production).
    """
    body = parse(request.body)
    if request.headers.get("x-github-event", "deployment_status") != "deployment_status":
        return ParsedBody()
    if not isinstance(body, dict):
        raise UnreadableBody("GitHub's webhook is an object", field="body")
    status, deployment = _part(body, "deployment_status"), _part(body, "deployment")
    environment = str(request.config.options.get("environment", "production"))
    if status.get("state") != "success" or deployment.get("environment") != environment:
        return ParsedBody()
    return ParsedBody(changes=(_change(request, status, deployment, word(_part(body, "repository").get("name"), 200)),))


def _change(request: SourceRequest, status: dict[str, object], deployment: dict[str, object], repository: str) -> Change:
    services = request.config.options.get("services", {})
    sha, ref = word(deployment.get("sha"), 64), word(deployment.get("ref"), 200)
    creator = deployment.get("creator")
    return Change(
        id=f"{request.source}:{word(deployment.get('id'), 64)}",
        at=started(status.get("created_at"), "deployment_status.created_at", request.received_at),
        service=str(services.get(repository, repository)) if isinstance(services, dict) else repository,
        kind="deploy",
        title=f"{ref or sha[:12]}: {clean(deployment.get('description'), 300)}".rstrip(": "),
        author=word(creator.get("login"), 200) if isinstance(creator, dict) else "",
        version=sha[:12],
        link=clean(status.get("target_url") or status.get("log_url")),
        source=request.source,
    )


def _part(body: dict[str, object], name: str) -> dict[str, object]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise UnreadableBody("is missing", field=name)
    return part
