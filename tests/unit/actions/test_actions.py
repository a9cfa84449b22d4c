"""The two remediations: what people approve is what is sent."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from bot.actions.run_webhook import RunWebhook
from bot.actions.silence_alert import SilenceAlert
from bot.core.action import Tier
from bot.core.config import ActionConfig
from bot.core.errors import ActionFailed, LookFailed
from bot.core.service import Catalogue, Service, Signal
from bot.plugins import ActionContext, HttpAnswer
from tests.unit.approving import RecordedHttp, RecordedMetrics
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
    assert RunWebhook.tier_of(entry(idempotent=True, inverse="forward")) is Tier.ONE
    assert webhook(parameters={"replicas": "0"}).tier_for(entry()) is Tier.X


@pytest.mark.parametrize("value", ["v1; rm -rf /", "{service}", "$(id)", "a\nb", "`x`", "../x" + "y" * 300])
def test_versions_with_foreign_characters_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        webhook(previous_version=value)


async def test_a_signal_that_cannot_be_seen_is_never_recovered() -> None:
    ctx = context(entry())
    values: dict[str, Any] = ctx.metrics.values  # type: ignore[union-attr]

    found = []
    for value in (0.001, 0.5, None, LookFailed("down")):
        values["errors"] = value
        found.append((await webhook().verify(ctx)).state)

    assert found == ["recovered", "not recovered", "could not verify", "could not verify"]


def silence(**values: Any) -> SilenceAlert:
    return SilenceAlert.model_validate(
        {"service": "checkout", "matchers": {"alertname": "A", "job": "x"}, "duration": "1h", **values}
    )


def alertmanager(answer: Any) -> ActionContext:
    ctx = context(ActionConfig(kind="silence_alert"))
    ctx.http.answer = HttpAnswer(200, "", answer)  # type: ignore[attr-defined]
    return ctx


async def test_a_silence_has_exact_matchers_an_end_and_its_key() -> None:
    ctx = alertmanager({"silenceID": "abc12345"})

    outcome = await silence().run(ctx)

    body: Mapping[str, Any] = ctx.http.sent[0]["json"]  # type: ignore[attr-defined]
    assert outcome.remote_id == "abc12345"
    assert all(m["isEqual"] and not m["isRegex"] for m in body["matchers"])
    assert (body["startsAt"], body["endsAt"]) == ("2026-03-01T03:00:00.000Z", "2026-03-01T04:00:00.000Z")
    assert "[AP-1:1:d]" in body["comment"]


async def test_a_silence_over_several_alerts_is_tier_two() -> None:
    alerts = [{"labels": {"alertname": "A"}, "fingerprint": str(n)} for n in range(2)]

    assert (await silence().dry_run(alertmanager(alerts))).floor is Tier.TWO
    assert (await silence().dry_run(alertmanager(alerts[:1]))).floor is Tier.ONE
    assert silence(matchers={"severity": "warning"}).tier_for(ActionConfig(kind="silence_alert")) is Tier.TWO


@pytest.mark.parametrize("values", [{"matchers": {}}, {"duration": "13h"}, {"duration": "5s"}, {"matchers": {"a-b": "x"}}])
def test_silences_without_bounds_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        silence(**values)


async def test_the_way_back_of_a_silence_is_to_expire_it() -> None:
    back = silence().way_back("abc12345")

    assert back is not None
    assert back.model_dump(exclude_defaults=True) == {"service": "checkout", "expire": "abc12345"}


async def test_after_a_crash_a_silence_is_found_by_its_key() -> None:
    found = await silence().probe(alertmanager([{"id": "s1", "comment": "x [AP-1:1:d]"}]))
    missing = await silence().probe(alertmanager([]))

    assert found is not None and found.state == "done"
    assert missing is not None and missing.state == "failed"
