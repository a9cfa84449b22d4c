"""The two remediations: what people approve is what is sent."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.actions.run_webhook import RunWebhook
from bot.actions.silence_alert import SilenceAlert
from bot.actions.support.http import Outbound
from bot.core.action import Tier
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed, ConfigurationError, QueryFailed
from bot.core.service import Catalogue, Service, Signal
from bot.plugins import Action, ActionContext, HttpAnswer, action
from tests.unit.approvals_fixture import RecordedHttp, RecordedMetrics
from tests.unit.builders import NOW

SIGNALS = {"errors": Signal(promql="errors", unit="ratio", bad_above=0.02)}


def entry(**values: Any) -> ActionConfig:
    fields = {"kind": "run_webhook", "url": "http://jobs.example/{service}", "body": {"to": "{previous_version}"}}
    return ActionConfig.model_validate({**fields, "verify": {"signal": "errors"}, **values})


def context(config: ActionConfig, **values: Any) -> ActionContext:
    catalogue = Catalogue([Service(name="checkout", signals=SIGNALS)])
    fields: dict[str, Any] = {"now": NOW, "proposal": "AP-1", "entry": "rollback", "config": config, "catalogue": catalogue}
    fields |= {"metrics": RecordedMetrics(), "http": RecordedHttp(), "alertmanager_url": "http://am.example"}
    fields |= {"idempotency_key": "AP-1:1:d"}
    return ActionContext(**{**fields, **values})


def webhook(**values: Any) -> RunWebhook:
    return RunWebhook.model_validate({"service": "checkout", "previous_version": "v1", **values})


async def test_the_rendered_request_is_the_dry_run_and_what_is_sent() -> None:
    ctx = context(entry())

    shown, outcome = await webhook().dry_run(ctx), await webhook().run(ctx)

    assert 'POST http://jobs.example/checkout\n{\n  "to": "v1"\n}' in shown.text
    assert outcome.state == "done"
    sent = ctx.http.sent[0]  # type: ignore[attr-defined]
    assert (sent["url"], sent["json"], sent["key"]) == ("http://jobs.example/checkout", {"to": "v1"}, "AP-1:1:d")


async def test_an_address_that_may_not_be_called_stops_before_anybody_is_asked() -> None:
    http = Outbound(resolve=lambda host, port: _at("10.0.0.7"))

    with pytest.raises(ActionFailed, match=r"10\.0\.0\.7, a private address"):
        await webhook().dry_run(context(entry(), http=http))


async def test_a_name_without_an_address_is_told_in_the_dry_run() -> None:
    shown = await webhook().dry_run(context(entry(), http=Outbound(resolve=lambda host, port: _at())))

    assert not shown.ok and "could not be called now: jobs.example has no address" in shown.text


async def _at(*addresses: str) -> tuple[str, ...]:
    return addresses


async def test_a_value_that_is_not_known_stops_before_the_dry_run() -> None:
    with pytest.raises(ActionFailed, match="previous_version"):
        await webhook(previous_version="").dry_run(context(entry()))


@pytest.mark.parametrize(
    ("status", "state"), [(200, "done"), (302, "failed"), (404, "failed"), (503, "failed"), (504, "unknown")]
)
async def test_answers_that_may_have_acted_are_unknown(status: int, state: str) -> None:
    ctx = context(entry())
    ctx.http.answer = HttpAnswer(status, "no")  # type: ignore[attr-defined]

    assert (await webhook().run(ctx)).state == state


def test_tiers_of_a_webhook() -> None:
    assert RunWebhook.tier_of(entry(verify=None)) is Tier.THREE
    assert RunWebhook.tier_of(entry()) is Tier.TWO
    assert RunWebhook.tier_of(entry(idempotent=True, undo="forward")) is Tier.ONE
    assert webhook(parameters={"replicas": "0"}).tier_for(entry()) is Tier.X


def test_a_bound_of_zero_is_told_as_it_is() -> None:
    watching = entry(verify={"signal": "errors", "above": 0})

    assert "watch errors until it is below 2 % and above 0 %, for 300 s at most" in webhook().steps(context(watching))


def test_the_watch_names_its_bound_in_the_signal_s_unit() -> None:
    watching = entry(verify={"signal": "errors", "below": 0.05})

    assert "watch errors until it is below 5 %, for 300 s at most" in webhook().steps(context(watching))
    assert "watch errors until it is below 2 %, for 300 s at most" in webhook().steps(context(entry()))


@pytest.mark.parametrize("value", ["v1; rm -rf /", "{service}", "$(id)", "a\nb", "`x`", "../x" + "y" * 300])
def test_versions_with_foreign_characters_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        webhook(previous_version=value)


async def test_a_signal_that_cannot_be_seen_is_never_recovered() -> None:
    ctx = context(entry())
    values: dict[str, Any] = ctx.metrics.values  # type: ignore[union-attr]

    found = []
    for value in (0.001, 0.5, None, QueryFailed("down")):
        values["errors"] = value
        found.append((await webhook().verify(ctx)).state)

    assert found == ["recovered", "not recovered", "could not verify", "could not verify"]


async def test_a_signal_is_named_with_its_service_as_what_recovers_is_not_always_what_alerts() -> None:
    ctx = context(entry())
    ctx.metrics.values["errors"] = 0.001  # type: ignore[union-attr]

    assert (await webhook().verify(ctx)).text == "checkout errors: 0.1 %, within the threshold of 2 %"


def silence(**values: Any) -> SilenceAlert:
    return SilenceAlert.model_validate(
        {"service": "checkout", "matchers": {"alertname": "A", "job": "x"}, "duration": "1h", **values}
    )


def alertmanager(answer: Any) -> ActionContext:
    ctx = context(ActionConfig(kind="silence_alert"))
    ctx.http.answer = HttpAnswer(200, "", answer)  # type: ignore[attr-defined]
    return ctx


class Silences:
    """Alertmanager's silences: created ones are kept, as the real one keeps them."""

    def __init__(self, *standing: dict[str, Any], readable: bool = True) -> None:
        self.standing, self.readable = list(standing), readable
        self.created: list[dict[str, Any]] = []

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        return ""

    async def send(self, method: str, url: str, *, json: Any, **_: Any) -> HttpAnswer:
        if method == "POST":
            self.created.append(json)
            self.standing.append({**json, "id": "abc12345", "status": {"state": "active"}})
            return HttpAnswer(200, "", {"silenceID": "abc12345"})
        if "/silences" in url:
            return HttpAnswer(200, "", self.standing) if self.readable else HttpAnswer(500, "no")
        return HttpAnswer(200, "", [{"labels": {"alertname": "A"}, "fingerprint": "f1"}])


def standing(*, hours: float = 2, state: str = "active", **labels: str) -> dict[str, Any]:
    """A silence that somebody made before, for A unless said otherwise."""
    matchers = [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in (labels or {"alertname": "A"}).items()]
    ends = (NOW + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    return {"id": "s0000001", "matchers": matchers, "endsAt": ends, "createdBy": "alice", "status": {"state": state}}


def among(silences: Silences) -> ActionContext:
    return context(ActionConfig(kind="silence_alert"), http=silences)


async def test_a_silence_that_stands_already_is_told_in_the_dry_run_and_none_is_created() -> None:
    there = Silences(standing())

    shown, outcome = await silence().dry_run(among(there)), await silence().run(among(there))

    told = "already silenced until 2026-03-01 05:00 UTC by alice (silence s0000001)"
    assert shown.ok and told in shown.text
    assert outcome.state == "done" and outcome.text == f"Nothing was created: {told}."
    assert there.created == []


async def test_the_undo_does_not_expire_what_somebody_else_made() -> None:
    outcome = await silence().run(among(Silences(standing())))

    assert silence().undo(outcome.remote_id) is None


async def test_the_same_silence_asked_for_twice_is_created_once() -> None:
    there = Silences()

    await silence().run(among(there))
    again = await silence().run(among(there))

    assert len(there.created) == 1 and again.text.startswith("Nothing was created: already silenced")


@pytest.mark.parametrize(
    "other",
    [
        standing(hours=0.5),
        standing(state="expired"),
        standing(alertname="A", instance="i1"),
        standing(alertname="B"),
        {**standing(), "matchers": [{"name": "alertname", "value": "A", "isRegex": False, "isEqual": False}]},
        {**standing(), "matchers": [{"name": "alertname", "value": "A", "isRegex": True}]},
        {**standing(), "matchers": []},
    ],
)
async def test_a_silence_that_covers_less_or_ends_sooner_does_not_stand_in_for_the_wanted_one(other: dict[str, Any]) -> None:
    there = Silences(other)

    assert (await silence().run(among(there))).remote_id == "abc12345"
    assert len(there.created) == 1


async def test_when_silences_cannot_be_checked_none_is_created_and_the_dry_run_did_not_work() -> None:
    there = Silences(readable=False)

    shown, outcome = await silence().dry_run(among(there)), await silence().run(among(there))

    assert not shown.ok and "could not check silences: Alertmanager answered 500" in shown.text
    assert outcome.state == "failed" and there.created == []


async def test_a_silence_has_exact_matchers_an_end_and_its_key() -> None:
    there = Silences()

    outcome = await silence().run(among(there))

    (body,) = there.created
    assert outcome.remote_id == "abc12345"
    assert all(m["isEqual"] and not m["isRegex"] for m in body["matchers"])
    assert (body["startsAt"], body["endsAt"]) == ("2026-03-01T03:00:00.000Z", "2026-03-01T04:00:00.000Z")
    assert "[AP-1:1:d]" in body["comment"]


async def test_a_silence_over_several_alerts_is_tier_two() -> None:
    alerts = [{"labels": {"alertname": "A"}, "fingerprint": str(n)} for n in range(2)]

    assert (await silence().dry_run(alertmanager(alerts))).least_tier is Tier.TWO
    assert (await silence().dry_run(alertmanager(alerts[:1]))).least_tier is Tier.ONE
    assert silence(matchers={"severity": "warning"}).tier_for(ActionConfig(kind="silence_alert")) is Tier.TWO


@pytest.mark.parametrize("values", [{"matchers": {}}, {"duration": "13h"}, {"duration": "5s"}, {"matchers": {"a-b": "x"}}])
def test_silences_without_bounds_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        silence(**values)


async def test_the_undo_of_a_silence_is_to_expire_it() -> None:
    back = silence().undo("abc12345")

    assert back is not None
    assert back.model_dump(exclude_defaults=True) == {"service": "checkout", "expire": "abc12345"}


async def test_after_a_crash_a_silence_is_found_by_its_key() -> None:
    found = await silence().probe(alertmanager([{"id": "s1", "comment": "x [AP-1:1:d]"}]))
    missing = await silence().probe(alertmanager([]))

    assert found is not None and found.state == "done"
    assert missing is not None and missing.state == "failed"


@pytest.mark.parametrize("old", ["way_back", "undone_by"])
def test_an_action_with_the_old_name_of_its_undo_stops_the_start(old: str) -> None:
    own = type("Own", (Action,), {old: lambda self: "", "__module__": "team.own"})

    with pytest.raises(ConfigurationError, match=f"{old} of an action is called undo"):
        action(own)
