"""Tools without a kind of their own: what ends is the alert that fired, and both say what it is about."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.core.payloads.choices import Corrections
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import understand
from bot.core.service import Catalogue, Service
from tests.unit.sources.recovery_bodies import RECOVERIES, Body, Recovery, checkmk, icinga
from tests.unit.sources.vendor_bodies import read
from tests.unit.store.databases import Clock, SortingFixture, open_database

FORM = {"content-type": "application/x-www-form-urlencoded"}


def one(body: Body) -> Alert:
    (alert,) = read("generic", body).alerts
    return alert


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda recovery: recovery.tool)
def test_what_ends_is_the_alert_that_fired(recovery: Recovery) -> None:
    firing, ended = one(recovery.firing), one(recovery.ended)

    assert (firing.status, ended.status) == ("firing", "resolved")
    assert ended.fingerprint == firing.fingerprint


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda recovery: recovery.tool)
def test_what_fires_says_what_is_wrong_and_where(recovery: Recovery) -> None:
    alert = one(recovery.firing)
    labels = alert.labels.get("host", ""), alert.labels.get("service", "")

    assert (alert.name, *labels) == (recovery.title, recovery.host, recovery.service)


@pytest.mark.parametrize("check", [checkmk, icinga])
async def test_the_same_check_on_two_hosts_is_two_outages(check: Callable[..., Body], tmp_path: Path) -> None:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    for host in ("db-prod-03", "web-prod-11", "db-prod-03"):
        (alert,) = read("generic", check("PROBLEM", "CRITICAL", "load is 42", host)).alerts
        await sorting.receive(alert)

    assert [(group.alerts, group.repeats) for group in await sorting.groups()] == [(1, 1), (1, 0)]
    await sorting.db.close()


@pytest.mark.parametrize(
    "kind", ["ACKNOWLEDGEMENT", "FLAPPINGSTART", "FLAPPINGEND", "DowntimeEnd", "downtime-end", "CUSTOM", ""]
)
@pytest.mark.parametrize("check", [checkmk, icinga])
def test_a_check_that_fails_on_a_host_that_is_up_is_not_over(check: Callable[..., Body], kind: str) -> None:
    assert one(check(kind, "CRITICAL", "load is 42")).status == "firing"
    assert one(check("RECOVERY", "OK", "load is 1")).status == "resolved"


def test_a_title_that_says_after_how_long_it_was_resolved_is_an_end() -> None:
    assert one({"subject": "Resolved in 5m 0s: High CPU on db-1", "message": "was high"}).status == "resolved"


def test_a_host_that_is_back_is_over_though_no_check_of_it_is_named() -> None:
    assert one({**icinga("FLAPPINGEND", "", "PING OK"), "service_name": ""}).status == "resolved"


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "data": {"title": "Disk full", "severity": "critical"}},
        {"status": "ok", "data": {"alert": {"message": "Queue stalls", "state": "firing"}}},
        {"data": {"message": "Queue stalls", "service": "checkout"}, "meta": {"status": "ok"}},
        {"title": "Queue stalls", "firing": 1, "resolved": 1},
        {"text": "of shop", "attachments": [{"color": "good", "title": "[FIRING:1] Queue stalls"}]},
        {"text": "of shop", "attachments": [{"color": "good", "title": "Queue stalls"}, {"color": "danger", "text": "x"}]},
        {"title": "An update is available", "event": "available"},
        {"title": "Queue stalls", "state": "not available"},
        {"title": "Queue stalls", "event": "maintenance ended"},
    ],
)
def test_words_of_something_else_end_nothing(body: Body) -> None:
    assert one(body).status == "firing"


def test_an_end_that_names_nothing_but_the_key_ends_what_has_it() -> None:
    trigger = {"event_action": "trigger", "dedup_key": "db-1/disk", "payload": {"summary": "Disk full", "severity": "critical"}}
    fired, ended = one(trigger), one({"event_action": "resolve", "dedup_key": "db-1/disk"})

    assert (fired.status, ended.status) == ("firing", "resolved")
    assert fired.fingerprint == ended.fingerprint == "db-1/disk"


def test_what_fires_without_a_title_is_refused_and_so_is_an_end_without_a_key() -> None:
    for body in ({"event_action": "trigger", "dedup_key": "a"}, {"event_action": "resolve"}):
        with pytest.raises(UnreadableBody):
            one(body)


@pytest.mark.parametrize(
    "body",
    [
        {"alerts": {"new": {"count": 1, "data": [{"title": "A"}]}, "recovered": {"count": 1, "data": [{"title": "B"}]}}},
        {"title": "Two of three", "new_alerts": [{"name": "A"}], "recovered_alerts": [{"name": "B"}]},
        {"firing": [{"name": "A"}], "resolved": [{"name": "B"}]},
    ],
)
def test_what_a_body_lists_as_over_is_over_and_none_of_its_lists_is_lost(body: Body) -> None:
    assert [(alert.name, alert.status) for alert in read("generic", body).alerts] == [("A", "firing"), ("B", "resolved")]


def test_a_list_of_what_is_over_alone_fires_nothing() -> None:
    body = {"alerts": {"new": {"count": 0, "data": []}, "recovered": {"count": 1, "data": [{"title": "B"}]}}}

    assert one(body).status == "resolved"


def test_very_long_texts_are_cut_and_not_left_out() -> None:
    alert = one({"title": "Disk full " * 500, "description": "of db-1 " * 5000, "id": 4})

    assert alert.name.startswith("Disk full") and alert.annotations["summary"].startswith("of db-1")


def test_a_relay_that_wraps_a_body_in_a_list_takes_no_alert_away() -> None:
    alerts = [{"labels": {"alertname": name}, "status": "firing", "fingerprint": name} for name in ("CPU high", "Disk full")]
    wrapped = {"headers": {"host": "relay"}, "body": {"receiver": "tocsin", "status": "firing", "alerts": alerts}}
    parsed = read("generic", [wrapped, {"title": "Queue stalls", "id": 1}])

    assert [alert.name for alert in parsed.alerts] == ["CPU high", "Disk full", "Queue stalls"]


def test_the_fields_of_a_form_are_an_alert() -> None:
    fired, ended = (
        read("generic", f"Name=Shop&Status={state}&StatusCode=500&Method=Website".encode(), headers=FORM).alerts[0]
        for state in ("Down", "Up")
    )

    assert (fired.name, fired.status, ended.status) == ("Shop", "firing", "resolved")
    assert fired.fingerprint == ended.fingerprint


def test_json_in_any_characters_is_no_form_though_a_link_in_it_looks_like_one() -> None:
    text = '{"title": "Disk full", "link": "https://a.example/?a=1&b=2", "id": 1}'

    for body in (text.encode("utf-8-sig"), text.encode("utf-16"), b"\n" + text.encode()):
        assert [alert.name for alert in read("generic", body).alerts] == ["Disk full"]


@pytest.mark.parametrize("body", [b"disk is full", b"a=1", b"&".join(b"f%d=1" % number for number in range(300))])
def test_what_is_no_form_whatever_it_is_called_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read("generic", body, headers=FORM)


def test_a_check_is_a_service_where_the_catalogue_has_one_of_its_name_or_tocsin_yaml_says_so() -> None:
    body = checkmk("PROBLEM", "CRITICAL", "load is 42")
    labels = one(body).labels

    assert labels["check"] == "CPU load"
    assert Catalogue([Service(name="CPU load")]).of_labels(labels) == "CPU load"
    assert Catalogue([Service(name="checkout")]).of_labels(labels) == ""
    assert not understand(body, Corrections({AlertField.SERVICE: "NOTIFY_SERVICEDESC"})).is_check
