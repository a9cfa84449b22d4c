"""Deploys from GitHub Actions, GitLab, Argo CD and Flux become changes of their services."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, Source
from bot.sources.changes.argocd import argocd
from bot.sources.changes.flux import flux
from bot.sources.changes.github import github
from bot.sources.changes.gitlab import gitlab
from tests.unit.sources.changes.bodies import (
    BEFORE,
    DEPLOY_JOB,
    SHA,
    argocd_sync,
    flux_event,
    github_workflow,
    gitlab_deployment,
    gitlab_pipeline,
    read,
)

WORKFLOW = {"x-github-event": "workflow_run"}


@pytest.mark.parametrize("named", ["Deploy", "deploy.yml"])
def test_a_workflow_that_deploys_is_a_change_from_when_it_began(named: str) -> None:
    (change,) = read(github, github_workflow(), WORKFLOW, workflows=[named]).changes

    assert (change.service, change.version, change.author) == ("checkout", SHA[:12], "bob")
    assert change.title == "Deploy: Raise the pool of payments to 40 connections"
    assert change.at == datetime(2026, 11, 24, 22, 58, 1, tzinfo=UTC)


@pytest.mark.parametrize("run", [{"conclusion": "failure"}, {"status": "in_progress"}, {"name": "Test", "path": "test.yml"}])
def test_other_runs_are_taken_and_ignored(run: dict[str, Any]) -> None:
    assert read(github, github_workflow(**run), WORKFLOW, workflows=["deploy"]) == ParsedBody()


def test_no_workflow_is_a_deploy_unless_the_configuration_names_it() -> None:
    assert read(github, github_workflow(), WORKFLOW) == ParsedBody()


def test_one_repository_may_stand_for_several_services() -> None:
    changes = read(
        github, github_workflow(), WORKFLOW, workflows="Deploy", services={"shop/checkout": ["cart", "checkout"]}
    ).changes

    assert [change.service for change in changes] == ["cart", "checkout"]
    assert len({change.id for change in changes}) == 2


def test_a_gitlab_deployment_is_a_change_with_its_commit_and_moment() -> None:
    (change,) = read(gitlab, gitlab_deployment()).changes

    assert (change.service, change.version, change.author, change.kind) == ("checkout", SHA[:12], "alice", "deploy")
    assert change.title == "v1.5.0: Raise the pool"
    assert change.at == datetime(2026, 11, 24, 23, 1, tzinfo=UTC)


def test_a_gitlab_deployment_and_its_pipeline_are_one_change() -> None:
    (deployed,) = read(gitlab, gitlab_deployment()).changes
    (built,) = read(gitlab, gitlab_pipeline(DEPLOY_JOB)).changes

    assert (built.id, built.at, built.version) == (deployed.id, deployed.at, deployed.version)


@pytest.mark.parametrize(
    "body",
    [
        gitlab_deployment(status="running"),
        gitlab_deployment(environment="staging", environment_tier="staging"),
        gitlab_pipeline(),
        gitlab_pipeline({**DEPLOY_JOB, "status": "manual"}),
        gitlab_pipeline({**DEPLOY_JOB, "environment": {"name": "prod-eu", "action": "stop", "deployment_tier": "production"}}),
        {"object_kind": "push", "ref": "refs/heads/main"},
    ],
)
def test_what_gitlab_did_not_deploy_to_production_is_taken_and_ignored(body: Any) -> None:
    assert read(gitlab, body) == ParsedBody()


def test_the_environment_may_be_named() -> None:
    assert read(
        gitlab, gitlab_deployment(environment="canary", environment_tier="other"), environment=["canary", "prod"]
    ).changes


def test_a_sync_of_argo_cd_is_a_change_with_the_version_before() -> None:
    (change,) = read(argocd, argocd_sync()).changes

    assert (change.service, change.version, change.previous_version) == ("checkout", SHA[:12], BEFORE[:12])
    assert change.title == f"sync of {SHA[:12]}: checkout:5.1.0"
    assert change.link == "https://argocd.example.com/applications/checkout"
    assert change.at == datetime(2026, 11, 24, 23, 0, 10, tzinfo=UTC)


def test_a_sync_that_is_told_again_once_healthy_is_the_same_change() -> None:
    first, second = (read(argocd, argocd_sync(health=health)).changes[0] for health in ("Progressing", "Healthy"))

    assert first == second and first.id == "prod:checkout:12"


@pytest.mark.parametrize("phase", ["Running", "Failed", "Error"])
def test_a_sync_that_did_not_succeed_is_taken_and_ignored(phase: str) -> None:
    assert read(argocd, argocd_sync(phase)) == ParsedBody()


def test_an_automated_sync_of_several_sources_names_them_all() -> None:
    operation = {"phase": "Succeeded", "startedAt": "2026-11-24T23:00:10Z", "syncResult": {"revisions": [SHA, "7.1.0"]},
                 "operation": {"initiatedBy": {"automated": True}}}  # fmt: skip

    (change,) = read(argocd, argocd_sync(operationState=operation)).changes

    assert (change.author, change.title) == ("automated", f"sync of {SHA[:12]}: checkout:5.1.0")


def test_what_a_kustomization_applied_is_a_change() -> None:
    event = flux_event(
        "Kustomization", "Progressing", "Deployment/shop/checkout configured\nConfigMap/shop/env created", f"main@sha1:{SHA}"
    )

    (change,) = read(flux, event).changes

    assert (change.service, change.version) == ("checkout", SHA[:12])
    assert change.title == f"{SHA[:12]}: Deployment/shop/checkout configured; ConfigMap/shop/env created"


@pytest.mark.parametrize("revision", ["6.3.6", "6.3.6@sha256:" + "a" * 64])
def test_a_helm_release_is_a_change_with_its_version(revision: str) -> None:
    event = flux_event("HelmRelease", "UpgradeSucceeded", "Helm upgrade succeeded for release shop/checkout.v3", revision)

    assert read(flux, event, services={"shop/checkout": "shop-checkout"}).changes[0].service == "shop-checkout"
    assert read(flux, event).changes[0].version == "6.3.6"


def test_a_rollback_to_an_earlier_release_is_a_change_of_its_own() -> None:
    upgrade = flux_event("HelmRelease", "UpgradeSucceeded", "Helm upgrade succeeded", "6.3.5")
    rollback = {**upgrade, "reason": "RollbackSucceeded", "timestamp": "2026-11-24T23:04:00Z"}

    assert read(flux, upgrade).changes[0].id == read(flux, upgrade).changes[0].id != read(flux, rollback).changes[0].id


def test_a_release_that_is_taken_away_is_a_change() -> None:
    assert len(read(flux, flux_event("HelmRelease", "UninstallSucceeded", "Helm uninstall succeeded", "6.3.5")).changes) == 1


@pytest.mark.parametrize(
    "event",
    [
        flux_event(
            "Kustomization", "ReconciliationSucceeded", "Reconciliation finished in 1s, next run in 10m", f"main@sha1:{SHA}"
        ),
        flux_event("Kustomization", "BuildFailed", "kustomize build failed", f"main@sha1:{SHA}", severity="error"),
        flux_event("GitRepository", "NewArtifact", "stored artifact for commit 'x'", f"main@sha1:{SHA}"),
        flux_event("HelmRelease", "TestSucceeded", "Helm test succeeded", "6.3.5"),
    ],
)
def test_what_changed_nothing_in_the_cluster_is_taken_and_ignored(event: Any) -> None:
    assert read(flux, event) == ParsedBody()


@pytest.mark.parametrize(
    ("source", "body", "field"),
    [
        (github, {"deployment_status": {"state": "success"}}, "deployment"),
        (gitlab, {**gitlab_deployment(), "project": None}, "project"),
        (gitlab, gitlab_deployment(status_changed_at="yesterday"), "status_changed_at"),
        (argocd, {"app": "checkout"}, "app"),
        (argocd, {"app": {**argocd_sync()["app"], "metadata": {}}}, "app.metadata.name"),
        (flux, {"severity": "info"}, "involvedObject"),
        (flux, [], "body"),
    ],
)
def test_a_body_that_cannot_be_read_names_the_field(source: Source, body: Any, field: str) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read(source, body)

    assert caught.value.field == field


def test_a_gitlab_project_is_called_by_its_path_and_not_by_the_name_that_people_read() -> None:
    project = {"id": 30, "name": "Checkout Service", "path_with_namespace": "shop/eu/checkout-service"}
    body = {**gitlab_deployment(), "project": project}
    (change,) = read(gitlab, body).changes
    (mapped,) = read(gitlab, body, services={"Checkout Service": "checkout"}).changes

    assert (change.service, mapped.service) == ("checkout-service", "checkout")
