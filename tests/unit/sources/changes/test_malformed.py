"""Whatever stands in a body in place of what a vendor sends: it is read, or refused with a field, and nothing else happens."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.errors import UnreadableBody
from bot.plugins import Source
from bot.sources.changes.argocd import argocd
from bot.sources.changes.flux import flux
from bot.sources.changes.github import github
from bot.sources.changes.gitlab import gitlab
from bot.sources.changes.mlflow import mlflow
from bot.sources.changes.registry import registry
from bot.sources.changes.terraform import terraform
from bot.sources.slack.slack_channel import slack_channel
from tests.unit.sources.changes.bodies import (
    DEPLOY_JOB,
    argocd_sync,
    flux_event,
    github_workflow,
    gitlab_deployment,
    gitlab_pipeline,
    mlflow_event,
    read,
    terraform_run,
)

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    " ",
    "\0\u202e",
    "x" * 5000,
    "2026-99-99",
    [],
    [None],
    [[]],
    {},
    {"": None},
]
VERSION = {
    "kind": "dataset",
    "name": "prices",
    "version": "7",
    "services": ["cart"],
    "at": "2026-11-24T23:00:00Z",
    "author": "a",
}
BLOCKS = [
    {"type": "header", "text": {"type": "plain_text", "text": "Errors"}},
    {"type": "section", "fields": [{"text": "*a:*\nb"}]},
]
ATTACHED = [{"color": "good", "title": "[FIRING] x", "fields": [{"title": "host", "value": "a"}]}]
MESSAGE = {"channel": "C7", "message": {"ts": "1.2", "bot_id": "B7", "text": "x", "attachments": ATTACHED, "blocks": BLOCKS}}
BODIES: list[tuple[Source, Any]] = [
    (github, github_workflow()),
    (gitlab, gitlab_deployment()),
    (gitlab, gitlab_pipeline(DEPLOY_JOB)),
    (argocd, argocd_sync()),
    (flux, flux_event("HelmRelease", "UpgradeSucceeded", "Helm upgrade succeeded", "6.3.6")),
    (terraform, terraform_run("applied")),
    (mlflow, mlflow_event("model_version_alias", "created", alias="champion")),
    (registry, [VERSION]),
    (slack_channel, MESSAGE),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def replaced(body: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = json.loads(json.dumps(body))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = odd
    return copy


@pytest.mark.parametrize(("source", "body"), BODIES)
def test_odd_values_are_read_or_refused(source: Source, body: Any) -> None:
    draw = random.Random(7)
    for path in places(body):
        for odd in draw.sample(ODD, 6):
            try:
                parsed = read(source, replaced(body, path, odd), {"x-github-event": "workflow_run"}, workflows=["Deploy"])
            except UnreadableBody as error:
                assert error.field, (path, odd)
                continue
            for change in parsed.changes:
                assert change.service and change.title and change.id and "\0" not in change.model_dump_json()
                assert len(change.title) <= 500 and len(change.version) <= 200
            for alert in parsed.alerts:
                assert alert.name and alert.fingerprint and "\0" not in alert.model_dump_json()


@pytest.mark.parametrize("source", {source.name: source for source, _ in BODIES if "changes" in source.takes}.values())
@pytest.mark.parametrize("body", [{}, {"hello": "world"}])
def test_a_body_that_is_not_of_the_vendor_is_refused_and_never_taken_for_one_that_does_not_count(
    source: Source, body: Any
) -> None:
    with pytest.raises(UnreadableBody):
        read(source, body)
