"""Tools without a kind of their own: what ends is the alert that fired, and both say what it is about."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.alert import Alert
from bot.core.payloads.choices import Corrections
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import understand
from bot.core.service import Catalogue, Service
from tests.unit.sources.recovery_bodies import RECOVERIES, Body, Recovery, checkmk, icinga
from tests.unit.sources.vendor_bodies import read
from tests.unit.store.databases import Clock, SortingFixture, open_database


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


def test_a_check_is_a_service_where_the_catalogue_has_one_of_its_name_or_tocsin_yaml_says_so() -> None:
    body = checkmk("PROBLEM", "CRITICAL", "load is 42")
    labels = one(body).labels

    assert labels["check"] == "CPU load"
    assert Catalogue([Service(name="CPU load")]).of_labels(labels) == "CPU load"
    assert Catalogue([Service(name="checkout")]).of_labels(labels) == ""
    assert not understand(body, Corrections({AlertField.SERVICE: "NOTIFY_SERVICEDESC"})).is_check
