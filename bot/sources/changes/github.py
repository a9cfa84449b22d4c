"""GitHub's `deployment_status` and `workflow_run` webhooks as changes; signed with X-Hub-Signature-256."""

from bot.core.change import Change
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._parsing import clean, clean_line, start_moment
from bot.sources.changes._reading import (
    JsonObject,
    changes_of_services,
    option_texts,
    optional_object,
    read_object,
    required_object,
    required_text,
    services_of,
)


@source(
    "github",
    takes=("changes",),
    signatures=(hmac_hex("x-hub-signature-256", prefix="sha256="),),
    options=("services", "environment", "workflows"),
)
def github(request: SourceRequest) -> ParsedBody:
    """What went out from a repository is a change of its service; other events and states are accepted and ignored.

    A deployment counts once it succeeded. Workflows of GitHub Actions that deploy without GitHub's deployments count where
    `workflows` names them. Options: `services: {repository: service or services}`, else the repository's name; `environment`
    (one or several, default production); `workflows` (names or files, default none).
    """
    body = read_object(request, "GitHub")
    # Both bodies may hold a run; without the header of a delivery the body itself has to say what it is.
    event = request.headers.get("x-github-event") or ("deployment_status" if "deployment_status" in body else "workflow_run")
    if event == "workflow_run":
        return ParsedBody(changes=_of_workflow(request, body))
    return ParsedBody(changes=_of_deployment(request, body) if event == "deployment_status" else ())


def _of_deployment(request: SourceRequest, body: JsonObject) -> tuple[Change, ...]:
    status, deployment = required_object(body, "deployment_status"), required_object(body, "deployment")
    environments = option_texts(request, "environment", ("production",))
    if status.get("state") != "success" or clean_line(deployment.get("environment")).lower() not in environments:
        return ()
    sha, ref = clean_line(deployment.get("sha"), 64), clean_line(deployment.get("ref"), 200)
    return changes_of_services(
        request,
        _services(request, body),
        id=clean_line(deployment.get("id"), 64),
        at=start_moment(status.get("created_at"), "deployment_status.created_at", request.received_at),
        title=f"{ref or sha[:12]}: {clean(deployment.get('description'), 300)}".rstrip(": "),
        author=optional_object(deployment, "creator").get("login"),
        version=sha[:12],
        link=status.get("target_url") or status.get("log_url"),
    )


def _of_workflow(request: SourceRequest, body: JsonObject) -> tuple[Change, ...]:
    run = required_object(body, "workflow_run")
    name, file = clean_line(run.get("name"), 200), clean_line(run.get("path"), 200).rpartition("/")[2]
    named = {name.lower(), file.lower()} & set(option_texts(request, "workflows"))
    if run.get("status") != "completed" or run.get("conclusion") != "success" or not named:
        return ()
    sha = clean_line(run.get("head_sha"), 64)
    return changes_of_services(
        request,
        _services(request, body),
        id=f"run-{clean_line(run.get('id'), 64)}-{clean_line(run.get('run_attempt') or 1, 10)}",
        # Which of its minutes changed the service is not known: the start can only be too early, and is then still a suspect.
        at=start_moment(run.get("run_started_at") or run.get("created_at"), "workflow_run.run_started_at", request.received_at),
        title=f"{name}: {clean(run.get('display_title') or run.get('head_branch'), 300)}".rstrip(": "),
        author=optional_object(run, "triggering_actor").get("login") or optional_object(run, "actor").get("login"),
        version=sha[:12],
        link=run.get("html_url"),
    )


def _services(request: SourceRequest, body: JsonObject) -> tuple[str, ...]:
    repository = required_object(body, "repository")
    return services_of(
        request, clean_line(repository.get("full_name"), 200), required_text(repository, "name", "repository.name")
    )
