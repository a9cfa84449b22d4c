"""Workloads are restarted, scaled and rolled back by one patch that the API server takes only as long as nothing changed."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from bot.actions.kubernetes_restart import KubernetesRestart
from bot.actions.kubernetes_rollback import KubernetesRollback
from bot.actions.kubernetes_scale import KubernetesScale
from bot.core.action import Replicas, Tier
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.plugins import Action, ActionContext
from tests.contracts.kubernetes_writes import WRITE_TOKEN, Json, WritableServer, kept, workload
from tests.contracts.remote_systems import KEY, HandledHttp, context

KINDS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
RESTART = KubernetesRestart(service="checkout")
BACK = KubernetesRollback(service="checkout")


def scale(replicas: int | str) -> KubernetesScale:
    return KubernetesScale(service="checkout", replicas=str(replicas))


class Cluster:
    """One workload `prod/checkout` with its revisions, and whoever may patch it."""

    def __init__(self, body: Json, *, scalers: tuple[Json, ...] = (), forbidden: tuple[str, ...] = ()) -> None:
        revisions = [kept(7, "shop/checkout:2.0"), kept(6, "shop/checkout:1.9"), kept(4, "shop/checkout:1.8")]
        others = [kept(8, "shop/cart:9", uid="another")]
        self.rows = [body]
        objects = {KINDS[body["kind"]]: self.rows, "replicasets": revisions + others}
        self.server = WritableServer({**objects, "horizontalpodautoscalers": list(scalers)}, forbidden=frozenset(forbidden))
        self.http = HandledHttp(self.server)
        self.ctx = context(self.http, WRITE_TOKEN)

    @property
    def body(self) -> Json:
        return self.rows[0]

    async def approved(self, action: Action) -> ActionContext:
        """What runs after people approved what the dry run showed."""
        return replace(self.ctx, approved=(await action.dry_run(self.ctx)).targets)

    def changed_by_others(self) -> None:
        self.body["spec"]["template"]["spec"]["containers"][0]["image"] = "shop/checkout:2.1"
        self.body["metadata"]["generation"] += 1


def cluster(kind: str = "Deployment", **values: Any) -> Cluster:
    return Cluster(workload(kind, **values))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restart_marks_the_pods_template_as_kubectl_does(kind: str) -> None:
    here = cluster(kind)

    shown = await RESTART.dry_run(here.ctx)
    outcome = await RESTART.run(await here.approved(RESTART))

    assert shown.ok and shown.targets == {"prod/checkout": "generation 7"}
    assert "the API server took it as a trial" in shown.text and len(here.server.patches) == 1
    assert outcome.state == "done"
    marks = here.body["spec"]["template"]["metadata"]["annotations"]
    assert marks["kubectl.kubernetes.io/restartedAt"] == "2026-03-01T03:00:00Z"


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (RESTART, "restart 4 pods of deployment prod/checkout, at most 1 away at once"),
        (scale(6), "set deployment prod/checkout from 4 to 6 pods"),
        (BACK, "from revision 7 (shop/checkout:2.0) to revision 6 (shop/checkout:1.9)"),
    ],
)
async def test_a_trial_changes_nothing_and_says_what_will_be(action: Action, text: str) -> None:
    here = cluster()
    before = str(here.body)

    shown = await action.dry_run(here.ctx)

    assert text in shown.text and str(here.body) == before


@pytest.mark.parametrize("action", [RESTART, scale(6), BACK])
async def test_what_somebody_changed_after_the_approval_is_left_alone(action: Action) -> None:
    here = cluster()
    ctx = await here.approved(action)
    here.changed_by_others()

    outcome = await action.run(ctx)

    assert outcome.state == "failed" and "was changed since it was approved" in outcome.text
    assert here.server.patches == [] and here.body["metadata"]["generation"] == 8


@pytest.mark.parametrize("action", [RESTART, scale(6), BACK])
async def test_a_change_between_reading_and_patching_is_refused_by_the_server(action: Action) -> None:
    here = cluster()
    ctx = await here.approved(action)
    handler = here.http.handler

    def meanwhile(request: Any) -> Any:
        if request.method == "PATCH":
            here.changed_by_others()
        return handler(request)

    here.http.handler = meanwhile
    outcome = await action.run(ctx)

    assert outcome.state == "failed" and "422" in outcome.text
    assert here.body["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/checkout:2.1"


@pytest.mark.parametrize("action", [RESTART, scale(6), BACK])
async def test_after_a_lost_answer_the_workload_itself_says_whether_it_ran(action: Action) -> None:
    here = cluster()
    ctx = await here.approved(action)
    before = await action.probe(ctx)
    here.http.lost = True

    outcome = await action.run(ctx)
    after = await action.probe(ctx)

    assert before is not None and before.state == "failed"
    assert outcome.state == "unknown"
    assert after is not None and after.state == "done"
    assert here.body["metadata"]["annotations"]["tocsin-idempotency-key"] == KEY


async def test_a_rollback_brings_the_kept_template_back_and_can_itself_be_undone() -> None:
    here = cluster()
    ctx = await here.approved(BACK)

    outcome = await BACK.run(ctx)

    template = here.body["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "shop/checkout:1.9"
    assert template["metadata"]["labels"] == {"app": "checkout"}, "the controller's own label stays its own"
    assert BACK.undo(outcome.remote_id) == KubernetesRollback(service="checkout", revision="7")


@pytest.mark.parametrize(
    ("arguments", "image"), [({"previous_version": "1.8"}, "1.8"), ({"revision": "4"}, "1.8"), ({}, "1.9")]
)
async def test_a_rollback_goes_to_the_asked_revision(arguments: dict[str, str], image: str) -> None:
    here = cluster()
    back = KubernetesRollback(service="checkout", **arguments)

    await back.run(await here.approved(back))

    assert here.body["spec"]["template"]["spec"]["containers"][0]["image"] == f"shop/checkout:{image}"


@pytest.mark.parametrize("arguments", [{"previous_version": "9"}, {"revision": "8"}, {"revision": "5"}])
async def test_a_revision_that_is_not_kept_is_refused_with_those_that_are(arguments: dict[str, str]) -> None:
    with pytest.raises(ActionFailed, match=r"is not kept\. Kept: revision 6 \(shop/checkout:1\.9\), revision 4"):
        await KubernetesRollback(service="checkout", **arguments).dry_run(cluster().ctx)


@pytest.mark.parametrize(
    ("spec", "away"),
    [
        ({"strategy": {"type": "Recreate"}}, 4),
        ({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}}}, 2),
        ({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 3}}}, 3),
    ],
)
async def test_a_rollout_says_how_many_pods_it_takes_away_at_once(spec: Json, away: int) -> None:
    for action in (RESTART, BACK):
        shown = await action.dry_run(cluster(**spec).ctx)

        assert shown.replicas == {"prod/checkout": Replicas(desired=4, away=away)}


@pytest.mark.parametrize(("replicas", "away"), [(6, 0), (4, 0), (3, 1), (1, 3)])
async def test_fewer_pods_are_so_many_away(replicas: int, away: int) -> None:
    shown = await scale(replicas).dry_run(cluster().ctx)

    assert shown.replicas == {"prod/checkout": Replicas(desired=4, away=away)}


async def test_pods_that_a_run_added_are_taken_back_at_once_and_no_others() -> None:
    here = cluster()
    await scale(6).run(await here.approved(scale(6)))

    back, further = [(await scale(number).dry_run(here.ctx)).replicas["prod/checkout"].away for number in (4, 3)]
    here.body["spec"]["replicas"] = 20
    after_somebody_else = (await scale(4).dry_run(here.ctx)).replicas["prod/checkout"].away

    assert (back, further, after_somebody_else) == (0, 3, 16)


@pytest.mark.parametrize(("replicas", "tier"), [(4, Tier.ONE), (6, Tier.ONE), (7, Tier.TWO), (3, Tier.TWO), (1, Tier.TWO)])
async def test_more_than_half_as_many_more_or_fewer_pods_is_tier_2(replicas: int, tier: Tier) -> None:
    assert (await scale(replicas).dry_run(cluster().ctx)).least_tier is tier


@pytest.mark.parametrize("zero", ["0", "00", "0000"])
def test_scaling_to_nothing_is_never_done_by_the_bot(zero: str) -> None:
    assert scale(zero).tier_for(ActionConfig(kind="kubernetes_scale")) is Tier.X


@pytest.mark.parametrize("text", ["٠", "-1", "1e3", "0x4", " 4", "4.0", "", "४", "99999"])
def test_what_is_no_plain_number_of_pods_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        scale(text)


async def test_more_pods_than_the_entry_allows_are_refused() -> None:
    here = cluster()

    with pytest.raises(ActionFailed, match="at most 50 pods"):
        await scale(51).dry_run(here.ctx)
    with pytest.raises(ActionFailed, match="at most 5 pods"):
        await scale(6).dry_run(context(here.http, WRITE_TOKEN, options={"most": 5}))


async def test_a_workload_that_an_autoscaler_holds_is_not_scaled() -> None:
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    scaler = {"metadata": {"name": "checkout-hpa"}, "spec": {"scaleTargetRef": about, "maxReplicas": 9}}

    with pytest.raises(ActionFailed, match="The autoscaler checkout-hpa would set deployment prod/checkout back"):
        await scale(6).dry_run(Cluster(workload(), scalers=(scaler,)).ctx)


@pytest.mark.parametrize(("now", "options", "then"), [(4, {}, "6"), (1, {}, "2"), (4, {"most": 5}, "5")])
async def test_without_a_number_half_as_many_more_are_proposed(now: int, options: Json, then: str) -> None:
    ctx = context(cluster(replicas=now).http, WRITE_TOKEN, options=options)

    assert await KubernetesScale.complete(ctx, "checkout", {}) == {"replicas": then}
    assert await KubernetesScale.complete(ctx, "checkout", {"replicas": "3"}) == {"replicas": "3"}


async def test_scaling_is_undone_by_the_number_from_before() -> None:
    here = cluster()
    outcome = await scale(6).run(await here.approved(scale(6)))

    assert here.body["spec"]["replicas"] == 6
    assert scale(6).undo(outcome.remote_id) == scale(4)


async def test_it_is_recovered_only_once_the_rollout_is_complete_and_the_signal_good() -> None:
    here = cluster()
    status = here.body["status"]
    good, bad = here.ctx, context(here.http, WRITE_TOKEN, errors=0.4)

    complete = [(await RESTART.verify(ctx)).state for ctx in (good, bad)]
    status["updatedReplicas"] = 2
    rolling = await RESTART.verify(good)
    status["observedGeneration"] = 6
    unseen = await RESTART.verify(good)

    assert complete == ["recovered", "not recovered"]
    assert (rolling.state, rolling.text) == ("not recovered", "rolling out: 2 of 4 pods replaced")
    assert (unseen.state, unseen.text) == ("not recovered", "the rollout has not begun")


async def test_a_server_that_cannot_be_read_is_never_a_recovery() -> None:
    here = Cluster(workload(), forbidden=("deployments",))

    found = await RESTART.verify(here.ctx)

    assert found.state == "could not verify" and "403" in found.text


async def test_a_role_without_the_right_to_patch_is_told_before_anybody_is_asked() -> None:
    shown = await RESTART.dry_run(Cluster(workload(), forbidden=("patch",)).ctx)

    assert not shown.ok and "could not be tried: the API server answered 403" in shown.text


async def test_a_workload_that_git_holds_says_who_will_put_it_back() -> None:
    body = workload()
    body["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = "x"

    assert "Argo CD manages this workload and may put it back" in (await BACK.dry_run(Cluster(body).ctx)).text


async def test_what_is_not_set_up_is_told_with_what_to_do() -> None:
    with pytest.raises(ActionFailed, match=r"Kubernetes is not set up \(systems\.kubernetes\.url"):
        await RESTART.dry_run(replace(cluster().ctx, systems={}))
    with pytest.raises(ActionFailed, match=r"what Kubernetes calls cart \(known_as\.kubernetes\)"):
        await KubernetesRestart(service="cart").dry_run(cluster().ctx)
    with pytest.raises(ActionFailed, match="is paused: resume it first"):
        await BACK.dry_run(cluster(paused=True).ctx)
    with pytest.raises(ActionFailed, match="OnDelete"):
        await RESTART.dry_run(cluster("DaemonSet", updateStrategy={"type": "OnDelete"}).ctx)


@pytest.mark.parametrize("action", [RESTART, scale(6), BACK])
async def test_the_same_situation_gives_the_same_dry_run(action: Action) -> None:
    here = cluster()
    first = await action.dry_run(here.ctx)
    here.body["status"]["availableReplicas"] = 1

    assert await action.dry_run(here.ctx) == first, "pods that come and go are no reason to ask people again"
