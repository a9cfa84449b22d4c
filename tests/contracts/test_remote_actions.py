"""Argo CD, GitHub, MLflow, OpenFeature and Jira as their published APIs answer, changed once and with the right words.

None of them can be run here: the answers are built from their documentation; anything else is refused as they refuse it.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.actions.argocd_rollback import ArgocdRollback
from bot.actions.feature_flag import FeatureFlag
from bot.actions.github_issue import GithubIssue
from bot.actions.github_workflow import GithubWorkflow
from bot.actions.jira_issue import JiraIssue
from bot.actions.model_alias import ModelAlias
from bot.core.action import Tier
from bot.core.errors import ActionFailed
from bot.plugins import Action, ActionContext
from tests.contracts.remote_systems import KEY, HandledHttp, context

Json = dict[str, Any]
TOKEN = "wr1te"


def answer(status: int, body: object = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


@dataclass
class Remote:
    """One system; `answers` maps method and path to what it says, or to a function of the body."""

    answers: dict[str, Any]
    writes: list[tuple[str, Json]] = field(default_factory=list)
    scheme: str = "Bearer"

    def __post_init__(self) -> None:
        self.http = HandledHttp(self)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.method} {request.url.path}"
        if not request.headers.get("Authorization", "").startswith(self.scheme):
            return answer(401, {"message": "Requires authentication"})
        if place not in self.answers:
            return answer(404, {"message": "Not Found"})
        body = json.loads(request.content) if request.content else {}
        if request.method != "GET":
            self.writes.append((place, body))
        found = self.answers[place]
        return found(body) if callable(found) else answer(200, found)

    def ctx(self, **entry: Any) -> ActionContext:
        return context(self.http, TOKEN, **entry)


async def approved(action: Action, ctx: ActionContext) -> ActionContext:
    return replace(ctx, approved=(await action.dry_run(ctx)).targets)


# ---------------------------------------------------------------- Argo CD

APPLICATION = "/api/v1/applications/checkout-prod"
SYNC = ArgocdRollback(service="checkout")


def argocd(**spec: Any) -> Remote:
    history = [{"id": number, "revision": f"{letter}" * 40} for number, letter in ((3, "c"), (1, "a"), (2, "b"))]
    status: Json = {"history": history, "health": {"status": "Healthy"}, "operationState": {"phase": "Succeeded"}}
    body: Json = {"metadata": {"name": "checkout-prod"}, "spec": spec, "status": status}

    def roll_back(asked: Json) -> httpx.Response:
        if asked["id"] not in (1, 2):
            return answer(400, {"error": f"application does not have deployment id {asked['id']} in history", "code": 3})
        history.append({"id": 4, "revision": "b" * 40})
        return answer(200, body)

    return Remote({f"GET {APPLICATION}": body, f"POST {APPLICATION}/rollback": roll_back})


async def test_argo_cd_goes_back_to_the_sync_before_and_prunes_nothing() -> None:
    remote = argocd()
    ctx = await approved(SYNC, remote.ctx())

    shown, outcome = await SYNC.dry_run(ctx), await SYNC.run(ctx)

    assert shown.text == "roll checkout-prod back from 3 (cccccccccccc) to 2 (bbbbbbbbbbbb); nothing is pruned"
    wanted = {"name": "checkout-prod", "id": 2, "prune": False, "dryRun": False}
    assert remote.writes == [(f"POST {APPLICATION}/rollback", wanted)]
    assert outcome.state == "done" and SYNC.undo(outcome.remote_id) == ArgocdRollback(service="checkout", history_id="3")


async def test_argo_cd_finds_the_sync_of_a_version_by_its_revision() -> None:
    back = ArgocdRollback(service="checkout", previous_version="aaaa")

    assert "to 1 (aaaaaaaaaaaa)" in (await back.dry_run(argocd().ctx())).text
    with pytest.raises(ActionFailed, match=r"no earlier sync fits\. checkout-prod has: 2 \(bbbb"):
        await ArgocdRollback(service="checkout", previous_version="ffff").dry_run(argocd().ctx())


async def test_argo_cd_that_syncs_by_itself_is_not_asked() -> None:
    with pytest.raises(ActionFailed, match="syncs by itself"):
        await SYNC.dry_run(argocd(syncPolicy={"automated": {}}).ctx())


async def test_a_sync_since_the_approval_stops_the_rollback() -> None:
    remote = argocd()
    ctx = await approved(SYNC, remote.ctx())
    remote.answers[f"GET {APPLICATION}"]["status"]["history"].append({"id": 5, "revision": "e" * 40})

    assert (await SYNC.run(ctx)).text == "checkout-prod was synced since this was approved. Nothing was done."
    assert remote.writes == []


async def test_argo_cd_is_recovered_once_the_application_is_healthy_and_the_signal_good() -> None:
    remote = argocd()
    status = remote.answers[f"GET {APPLICATION}"]["status"]
    well = await SYNC.verify(remote.ctx())
    status["operationState"]["phase"] = "Running"

    assert (well.state, (await SYNC.verify(remote.ctx())).state) == ("recovered", "not recovered")


# ---------------------------------------------------------------- GitHub Actions

WORKFLOW = "/repos/shop/checkout/actions/workflows/rollback.yml"
DISPATCH = GithubWorkflow.model_validate({"service": "checkout", "version": "1.5.0", "previous_version": "1.4.0"})
OPTIONS = {"workflow": "rollback.yml", "inputs": ["service", "previous_version"], "key_input": "request"}


def github(state: str = "active", **more: Any) -> Remote:
    return Remote(
        {
            f"GET {WORKFLOW}": {"id": 7, "name": "Roll back", "path": ".github/workflows/rollback.yml", "state": state},
            f"POST {WORKFLOW}/dispatches": lambda body: answer(204),
            **more,
        }
    )


async def test_a_workflow_is_started_with_exactly_the_inputs_that_were_shown() -> None:
    remote = github()
    ctx = remote.ctx(options=OPTIONS)

    shown, outcome = await DISPATCH.dry_run(ctx), await DISPATCH.run(ctx)

    assert shown.text.splitlines() == [
        "start Roll back (rollback.yml) of shop/checkout at main", "previous_version: 1.4.0", "service: checkout",
    ]  # fmt: skip
    inputs = {"service": "checkout", "previous_version": "1.4.0", "request": KEY}
    assert remote.writes == [(f"POST {WORKFLOW}/dispatches", {"ref": "main", "inputs": inputs})]
    assert (outcome.state, outcome.text) == ("done", "rollback.yml was started.")


async def test_a_run_is_found_again_by_its_title_and_a_missing_one_proves_nothing() -> None:
    runs: Json = {"workflow_runs": [{"id": 11, "display_title": "by hand"}]}
    remote = github(**{f"GET {WORKFLOW}/runs": runs})
    missing = await DISPATCH.probe(remote.ctx(options=OPTIONS))
    runs["workflow_runs"].append({"id": 12, "display_title": f"roll back ({KEY})"})
    found = await DISPATCH.probe(remote.ctx(options=OPTIONS))

    assert missing is None and found is not None and found.remote_id == "12"


async def test_a_workflow_that_is_off_or_unknown_is_told_before_anybody_is_asked() -> None:
    with pytest.raises(ActionFailed, match="disabled_manually"):
        await DISPATCH.dry_run(github("disabled_manually").ctx(options=OPTIONS))
    with pytest.raises(ActionFailed, match=r"options\.workflow"):
        await DISPATCH.dry_run(github().ctx())
    with pytest.raises(ActionFailed, match="does not know"):
        await DISPATCH.dry_run(github().ctx(options={"workflow": "other.yml"}))


def test_a_workflow_without_a_signal_is_tier_3() -> None:
    ctx = github().ctx(verify=None)

    assert DISPATCH.tier_for(ctx.config) is Tier.THREE


# ---------------------------------------------------------------- MLflow

API = "/api/2.0/mlflow"
MOVE = ModelAlias(service="checkout", previous_version="3")
GATE = {"metric": "auc", "at_least": 0.9}


def mlflow(auc: float = 0.93, status: str = "READY") -> Remote:
    aliases = [{"alias": "champion", "version": "4"}]

    def move(body: Json) -> httpx.Response:
        aliases[:] = [{"alias": body["alias"], "version": body["version"]}]
        return answer(200, {})

    version = {"name": "fraud", "version": "3", "status": status, "run_id": "r3"}
    run = {"run": {"data": {"metrics": [{"key": "auc", "value": auc}]}}}
    return Remote(
        {
            f"GET {API}/registered-models/get": {"registered_model": {"name": "fraud", "aliases": aliases}},
            f"GET {API}/model-versions/get": {"model_version": version},
            f"GET {API}/runs/get": run,
            f"POST {API}/registered-models/alias": move,
        }
    )


async def test_an_alias_moves_to_the_version_that_passes_the_gate_and_can_move_back() -> None:
    remote = mlflow()
    ctx = await approved(MOVE, remote.ctx(options={"gate": GATE}))
    shown = await MOVE.dry_run(ctx)

    outcome = await MOVE.run(ctx)

    assert shown.text.splitlines()[0] == "move fraud@champion from version 4 to 3" and "auc: 0.93" in shown.text
    assert remote.writes[0][1] == {"name": "fraud", "alias": "champion", "version": "3"}
    assert MOVE.undo(outcome.remote_id) == ModelAlias(service="checkout", previous_version="4")
    assert (await MOVE.verify(ctx)).state == "recovered"


@pytest.mark.parametrize(
    ("remote", "why"),
    [(mlflow(auc=0.8), "has 0.8; the entry's gate asks for auc at least 0.9"), (mlflow(status="FAILED"), "not READY")],
)
async def test_a_model_that_is_too_bad_is_never_put_to_people(remote: Remote, why: str) -> None:
    with pytest.raises(ActionFailed, match=why):
        await MOVE.dry_run(remote.ctx(options={"gate": GATE}))


async def test_after_a_lost_answer_the_alias_says_whether_it_moved() -> None:
    remote = mlflow()
    ctx = await approved(MOVE, remote.ctx())
    before = await MOVE.probe(ctx)
    remote.http.lost = True
    outcome = await MOVE.run(ctx)
    after = await MOVE.probe(ctx)

    assert before is not None and after is not None
    assert (before.state, outcome.state, after.state, after.remote_id) == ("failed", "unknown", "done", "4")


# ---------------------------------------------------------------- feature flags

FLAG = FeatureFlag(service="checkout", flag="new-checkout")
OF_FLAG = {
    "url": "https://remote.example.com/admin/flags", "body": {"key": "{flag}", "enabled": "{value}"},
    "options": {"ofrep": "https://remote.example.com", "flags": ["new-checkout"]},
}  # fmt: skip


def flags() -> Remote:
    value: Json = {"key": "new-checkout", "value": True, "reason": "STATIC", "variant": "on"}

    def switch(body: Json) -> httpx.Response:
        value["value"] = body["enabled"] == "true"
        return answer(200, {})

    place = "/ofrep/v1/evaluate/flags/new-checkout"
    return Remote({f"POST {place}": value, "POST /admin/flags": switch}, scheme="")


async def test_a_flag_is_switched_and_read_back() -> None:
    remote = flags()
    ctx = await approved(FLAG, remote.ctx(**OF_FLAG))
    shown = await FLAG.dry_run(ctx)

    outcome = await FLAG.run(ctx)

    assert shown.ok and "new-checkout now: true" in shown.text and shown.targets == {"flag new-checkout": "true"}
    assert ("POST /admin/flags", {"key": "new-checkout", "enabled": "false"}) in remote.writes
    assert (await FLAG.verify(ctx)).state == "recovered"
    undo = FLAG.undo(outcome.remote_id)
    assert isinstance(undo, FeatureFlag) and undo.value == "true"


async def test_a_flag_that_the_entry_does_not_list_or_that_is_so_already_is_refused() -> None:
    with pytest.raises(ActionFailed, match=r"switches new-checkout \(options\.flags\) only"):
        await FeatureFlag(service="checkout", flag="dark-mode").dry_run(flags().ctx(**OF_FLAG))
    with pytest.raises(ActionFailed, match="is true already"):
        await FeatureFlag(service="checkout", flag="new-checkout", value="on").dry_run(flags().ctx(**OF_FLAG))
    for wrong in ("a b", "../x", "{service}", ""):
        with pytest.raises(ValidationError):
            FeatureFlag(service="checkout", flag=wrong)


async def test_the_only_flag_of_an_entry_needs_no_naming() -> None:
    ctx = flags().ctx(**OF_FLAG)

    assert await FeatureFlag.complete(ctx, "checkout", {}) == {"flag": "new-checkout"}


# ---------------------------------------------------------------- tickets


@pytest.mark.parametrize(
    ("action", "answers", "place", "text", "remote_id"),
    [
        (
            GithubIssue(service="checkout", text="find why `5.1.0` passed @everyone"),
            {
                "GET /repos/shop/checkout": {"has_issues": True},
                "POST /repos/shop/checkout/issues": lambda body: answer(201, {"number": 41}),
                "GET /repos/shop/checkout/issues/41": {"number": 41},
            },
            "POST /repos/shop/checkout/issues", "body", "41",
        ),
        (
            JiraIssue(service="checkout", text="find why `5.1.0` passed @everyone"),
            {
                "GET /rest/api/2/project/SHOP": {"key": "SHOP"},
                "POST /rest/api/2/issue": lambda body: answer(201, {"id": "9", "key": "SHOP-9"}),
                "GET /rest/api/2/issue/SHOP-9": {"key": "SHOP-9"},
            },
            "POST /rest/api/2/issue", "description", "SHOP-9",
        ),
    ],
)  # fmt: skip
async def test_a_ticket_is_opened_once_with_others_words_as_code(
    action: Action, answers: dict[str, Any], place: str, text: str, remote_id: str
) -> None:
    remote = Remote(answers)
    ctx = remote.ctx(verify=None)

    shown, outcome = await action.dry_run(ctx), await action.run(ctx)

    assert shown.ok and "checkout: follow up INC-1" in shown.text
    (written,) = [body for at, body in remote.writes if at == place]
    body = str(written.get("fields", written)[text])
    assert "```\nfind why '5.1.0' passed @everyone\n```" in body and KEY in body
    assert (outcome.state, outcome.remote_id) == ("done", remote_id)
    assert (await action.verify(replace(ctx, remote_id=remote_id))).state == "recovered"


async def test_a_name_and_password_are_sent_as_jira_cloud_asks() -> None:
    remote = Remote({"GET /rest/api/2/project/SHOP": {"key": "SHOP"}}, scheme="Basic")
    ctx = context(remote.http, "bot@example.com:secret", verify=None)

    assert (await JiraIssue(service="checkout").dry_run(ctx)).ok
