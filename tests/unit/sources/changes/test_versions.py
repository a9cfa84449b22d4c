"""Terraform's runs, and versions of models, datasets and features, become changes of the services that use them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody
from bot.sources.changes.mlflow import mlflow
from bot.sources.changes.registry import registry
from bot.sources.changes.terraform import terraform
from tests.unit.sources.changes.bodies import mlflow_event, read, terraform_run


def test_an_applied_run_is_a_configuration_change_of_the_services_in_its_workspace() -> None:
    changes = read(terraform, terraform_run("applied"), services={"prod-network": ["checkout", "payments"]}).changes

    assert [(change.service, change.kind, change.author) for change in changes] == [
        ("checkout", "config", "bob"), ("payments", "config", "bob"),
    ]  # fmt: skip
    assert changes[0].title == "Terraform applied prod-network: Narrow the egress rules"
    assert changes[0].at == datetime(2026, 11, 24, 23, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", ["planned_and_finished", "errored", "applying", None])
def test_a_run_that_applied_nothing_is_taken_and_ignored(status: str | None) -> None:
    assert read(terraform, terraform_run(status)) == ParsedBody()


def test_the_verification_that_terraform_sends_first_is_taken() -> None:
    empty = dict.fromkeys(("run_url", "run_id", "run_message", "run_created_at", "workspace_id", "workspace_name"))

    assert read(terraform, terraform_run(None, "verification", **empty)) == ParsedBody()


def test_an_alias_that_names_another_version_is_a_new_model() -> None:
    (change,) = read(
        mlflow, mlflow_event("model_version_alias", "created", alias="champion"), services={"recommender": "home"}
    ).changes

    assert (change.service, change.kind, change.version, change.title) == (
        "home",
        "model",
        "12",
        "recommender 12 is champion now",
    )


@pytest.mark.parametrize(
    ("event", "options"),
    [
        (mlflow_event("model_version_alias", "created", alias="shadow"), {"aliases": ["champion"]}),
        (mlflow_event("model_version", "created"), {}),
        (mlflow_event("model_version_tag", "set", key="owner", value="alice"), {}),
    ],
)
def test_what_nothing_serves_is_no_change(event: Any, options: dict[str, Any]) -> None:
    assert read(mlflow, event, **options) == ParsedBody()


def test_versions_count_when_they_are_registered_where_the_team_says_so() -> None:
    assert (
        read(mlflow, mlflow_event("model_version", "created"), versions=True).changes[0].title
        == "recommender 12 was registered"
    )


def test_a_dataset_version_is_new_data_of_every_service_that_reads_it() -> None:
    body = {"kind": "dataset", "name": "prices", "version": 7, "previous_version": 6, "services": ["catalogue", "cart"],
            "stage": "production", "author": "nightly", "at": "2026-11-24T23:00:00Z"}  # fmt: skip

    changes = read(registry, body).changes

    assert [(change.service, change.kind, change.version, change.previous_version) for change in changes] == [
        ("catalogue", "data", "7", "6"), ("cart", "data", "7", "6"),
    ]  # fmt: skip
    assert changes[0].title == "dataset prices 7 (production)"


def test_of_several_versions_the_readable_ones_are_taken() -> None:
    bodies = [{"name": "user_age", "version": "3", "kind": "feature"}, {"name": "x", "version": "1", "kind": "what"}]

    parsed = read(registry, bodies, services={"user_age": "recommender"})

    assert [(change.service, change.kind) for change in parsed.changes] == [("recommender", "data")]
    assert [item.field for item in parsed.rejected] == ["1.kind"]


def test_the_same_version_told_twice_is_one_change() -> None:
    first, second = (read(registry, {"name": "fraud", "version": "4"}).changes[0] for _ in range(2))

    assert first.id == second.id and first.kind == "model"


@pytest.mark.parametrize(
    ("body", "field"), [({"name": "fraud"}, "body.version"), ("text", "body"), ({"version": "1"}, "body.name")]
)
def test_a_version_without_its_name_or_number_is_refused(body: Any, field: str) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read(registry, body)

    assert caught.value.field == field
