"""Bodies as vendors of changes send them, with invented names, and a function that has a source read one."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.core.config.alerts import SourceConfig
from bot.plugins import ParsedBody, Source, SourceRequest

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
SHA = "abcdef0123456789abcdef0123456789abcdef01"
BEFORE = "1111110123456789abcdef0123456789abcdef01"


def read(source: Source, body: Any, headers: dict[str, str] | None = None, **options: Any) -> ParsedBody:
    """What the source makes of a body that came to /changes at NOW."""
    config = SourceConfig(kind=source.name, options=options)
    return source.read(SourceRequest("prod", json.dumps(body).encode(), headers or {}, NOW, config, "changes"))


def github_workflow(**run: Any) -> dict[str, Any]:
    return {
        "action": "completed",
        "workflow_run": {
            "id": 7744021987, "name": "Deploy", "path": ".github/workflows/deploy.yml", "head_branch": "main",
            "head_sha": SHA, "run_number": 512, "run_attempt": 1, "event": "push", "status": "completed",
            "conclusion": "success", "display_title": "Raise the pool of payments to 40 connections",
            "created_at": "2026-11-24T22:58:00Z", "run_started_at": "2026-11-24T22:58:01Z",
            "updated_at": "2026-11-24T23:02:40Z", "html_url": "https://github.com/shop/checkout/actions/runs/7744021987",
            "actor": {"login": "alice"},
            "triggering_actor": {"login": "bob"}, **run,
        },
        "workflow": {"id": 9, "name": "Deploy", "path": ".github/workflows/deploy.yml", "state": "active"},
        "repository": {"id": 1, "name": "checkout", "full_name": "shop/checkout"},
        "sender": {"login": "bob"},
    }  # fmt: skip


PROJECT = {
    "id": 30,
    "name": "checkout",
    "path_with_namespace": "shop/checkout",
    "web_url": "https://gitlab.example.com/shop/checkout",
}


def gitlab_deployment(**changed: Any) -> dict[str, Any]:
    return {
        "object_kind": "deployment", "status": "success", "status_changed_at": "2026-11-25 00:01:00 +0100",
        "deployment_id": 15, "deployable_id": 796, "deployable_url": "https://gitlab.example.com/shop/checkout/-/jobs/796",
        "environment": "prod-eu", "environment_tier": "production", "environment_slug": "prod-eu", "project": PROJECT,
        "short_sha": SHA[:8], "user": {"id": 1, "name": "Alice", "username": "alice"}, "ref": "v1.5.0",
        "commit_url": f"https://gitlab.example.com/shop/checkout/-/commit/{SHA}", "commit_title": "Raise the pool", **changed,
    }  # fmt: skip


def gitlab_pipeline(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": 31, "iid": 3, "ref": "main", "tag": False, "sha": SHA, "before_sha": BEFORE, "source": "push",
            "status": "success", "stages": ["build", "deploy"], "created_at": "2026-11-24 22:55:28 UTC",
            "finished_at": "2026-11-24 23:01:26 UTC", "url": "https://gitlab.example.com/shop/checkout/-/pipelines/31",
        },
        "user": {"id": 1, "name": "Alice", "username": "alice"}, "project": PROJECT,
        "commit": {"id": SHA, "title": "Raise the pool", "message": "Raise the pool\n"},
        "builds": [{"id": 795, "stage": "build", "name": "image", "status": "success", "environment": None}, *jobs],
    }  # fmt: skip


DEPLOY_JOB = {
    "id": 796, "stage": "deploy", "name": "production", "status": "success", "finished_at": "2026-11-24 23:01:00 UTC",
    "user": {"username": "alice"}, "environment": {"name": "prod-eu", "action": "start", "deployment_tier": "production"},
}  # fmt: skip


def argocd_sync(phase: str = "Succeeded", **status: Any) -> dict[str, Any]:
    return {
        "url": "https://argocd.example.com",
        "app": {
            "metadata": {"name": "checkout", "namespace": "argocd"},
            "spec": {"project": "shop", "source": {"repoURL": "https://git.example.com/shop/deploy", "path": "checkout"}},
            "status": {
                "operationState": {
                    "phase": phase, "message": "successfully synced (all tasks run)",
                    "startedAt": "2026-11-24T23:00:10Z", "finishedAt": "2026-11-24T23:00:19Z",
                    "operation": {"initiatedBy": {"username": "alice"}, "sync": {"revision": SHA}},
                    "syncResult": {"revision": SHA},
                },
                "history": [
                    {"id": 11, "revision": BEFORE, "deployedAt": "2026-11-23T10:00:00Z"},
                    {"id": 12, "revision": SHA, "deployedAt": "2026-11-24T23:00:19Z"},
                ],
                "summary": {"images": ["registry.example.com/shop/checkout:5.1.0"]}, **status,
            },
        },
    }  # fmt: skip


def flux_event(kind: str, reason: str, message: str, revision: str, **changed: Any) -> dict[str, Any]:
    group = {"Kustomization": "kustomize", "HelmRelease": "helm"}.get(kind, "source")
    return {
        "involvedObject": {"apiVersion": f"{group}.toolkit.fluxcd.io/v1", "kind": kind, "name": "checkout", "namespace": "shop",
                           "uid": "7d0cdc51-0000-4743-b223-83ca5c699632"},
        "metadata": {f"{group}.toolkit.fluxcd.io/revision": revision}, "severity": "info", "reason": reason, "message": message,
        "reportingController": f"{group}-controller", "reportingInstance": f"{group}-controller-7c7b47f5f-8bhrp",
        "timestamp": "2026-11-24T23:00:10Z", **changed,
    }  # fmt: skip


def terraform_run(status: str | None, trigger: str = "run:completed", **changed: Any) -> dict[str, Any]:
    return {
        "payload_version": 1, "notification_configuration_id": "nc-AeUQ2zfKZzW9TiGZ",
        "run_url": "https://app.terraform.io/app/shop/prod-network/runs/run-FwnENkvDnrpyFC7M", "run_id": "run-FwnENkvDnrpyFC7M",
        "run_message": "Narrow the egress rules", "run_created_at": "2026-11-24T22:50:00.000Z", "run_created_by": "alice",
        "workspace_id": "ws-XdeUVMWShTesDMME", "workspace_name": "prod-network", "organization_name": "shop",
        "notifications": [{"message": "Run applied", "trigger": trigger, "run_status": status,
                           "run_updated_at": "2026-11-24T23:01:12.000Z", "run_updated_by": "bob"}], **changed,
    }  # fmt: skip


def mlflow_event(entity: str, action: str, **data: Any) -> dict[str, Any]:
    return {"entity": entity, "action": action, "timestamp": "2026-11-24T23:00:10.100000+00:00",
            "data": {"name": "recommender", "version": "12", **data}}  # fmt: skip
