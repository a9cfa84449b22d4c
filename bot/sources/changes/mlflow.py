"""MLflow's registry webhooks as changes: which version of a model an alias names; signed like Standard Webhooks."""

from bot.core.change import Change
from bot.plugins import ParsedBody, SourceRequest, source, standard_webhook
from bot.sources._parsing import clean_line, start_moment
from bot.sources.changes._reading import (
    changes_of_services,
    option_texts,
    read_object,
    required_object,
    required_text,
    services_of,
)

_SIGNED = standard_webhook("x-mlflow-signature", id_header="x-mlflow-delivery-id", timestamp_header="x-mlflow-timestamp")


@source("mlflow", takes=("changes",), signatures=(_SIGNED,), options=("services", "aliases", "versions"))
def mlflow(request: SourceRequest) -> ParsedBody:
    """A model version that gets an alias is a change: what serves by alias serves it from then on.

    Options: `services: {model: service or services}`, else the model's name; `aliases` (default: all of them); `versions:
    true` counts versions that were only registered as well.
    """
    body = read_object(request, "MLflow")
    event = (required_text(body, "entity"), required_text(body, "action"))
    if event == ("model_version_alias", "created") or (
        event == ("model_version", "created") and request.config.options.get("versions") is True
    ):
        return ParsedBody(changes=_of_version(request, body))
    return ParsedBody()


def _of_version(request: SourceRequest, body: dict[str, object]) -> tuple[Change, ...]:
    data = required_object(body, "data")
    model, version, alias = (
        required_text(data, "name", "data.name"),
        required_text(data, "version", "data.version"),
        clean_line(data.get("alias")),
    )
    if alias and alias.lower() not in option_texts(request, "aliases", (alias,)):
        return ()
    at = start_moment(body.get("timestamp"), "timestamp", request.received_at)
    return changes_of_services(
        request,
        services_of(request, model),
        id=f"{model}:{version}:{alias}:{at.isoformat()}",
        at=at,
        kind="model",
        title=f"{model} {version} is {alias} now" if alias else f"{model} {version} was registered",
        version=version,
    )
