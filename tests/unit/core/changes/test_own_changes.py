"""Changes that an approved action made, among those that were reported."""

from datetime import datetime, timedelta

import pytest

from bot.core.change import Change
from bot.core.changes.own_changes import ActionRun, with_own
from tests.unit.evidence_builders import ONSET, change

RUN = ActionRun("AP-1", "pay", ONSET, frozenset({"5.1.0", "5.0.3"}))


@pytest.mark.parametrize(
    ("reported", "own"),
    [
        (change("pay", -2, version="5.0.3", previous="5.1.0"), True),
        (change("pay", 2, version="5.1.0"), False),
        (change("pay", -12, version="5.0.3"), False),
        (change("pay", -2, version="6.0.0"), False),
        (change("cart", -2, version="5.0.3"), False),
    ],
    ids=["the rollback", "what it took back", "much later", "another version", "another service"],
)
def test_a_rollback_that_a_pipeline_reports_is_known_by_service_version_and_moment(reported: object, own: bool) -> None:
    assert [one.by_action for one in with_own([reported], [RUN])] == ["AP-1" if own else ""]  # type: ignore[list-item]


def test_the_deploy_that_was_rolled_back_within_seconds_is_not_what_the_rollback_did() -> None:
    deploy = change("pay", 0, version="5.1.0", previous="5.0.3").model_copy(update={"at": ONSET - timedelta(seconds=20)})

    assert with_own([deploy], [RUN._replace(took_back=deploy.id)])[0].by_action == ""


def test_an_action_without_a_version_made_what_is_reported_within_a_minute() -> None:
    restart = RUN._replace(versions=frozenset())
    soon, later = change("pay", -0.5, kind="config"), change("pay", -5, kind="config")

    assert [one.by_action for one in with_own([soon, later], [restart])] == ["AP-1", ""]


def test_what_somebody_edits_within_the_minute_of_a_rollback_is_theirs() -> None:
    bad, back, edit = (change("pay", minutes, kind="config") for minutes in (5, -0.1, -0.6))
    run = RUN._replace(versions=frozenset(), took_back=bad.id)

    assert [one.by_action for one in with_own([bad, back, edit], [run])] == ["", "AP-1", ""]
    beside = change("pay", -0.5, kind="config")
    assert [one.by_action for one in with_own([change("pay", -0.2, version="5.0.3"), beside], [RUN])] == ["AP-1", ""]


def test_a_config_edit_that_a_verified_run_took_back_is_undone_unless_another_run_was_about_it() -> None:
    bad, back = change("pay", 5, kind="config"), change("pay", -0.1, kind="config")
    verified = RUN._replace(versions=frozenset(), took_back=bad.id, verified=True)
    forward = verified._replace(proposal="AP-2", at=RUN.at + timedelta(minutes=5))

    assert with_own([bad, back], [verified])[0].undone_at == RUN.at
    assert with_own([bad], [verified])[0].undone_at is None
    assert with_own([bad, back], [verified, forward])[0].undone_at is None


def test_what_a_verified_run_took_back_is_undone_until_its_version_comes_back() -> None:
    bad, back = change("pay", 5, version="5.1.0", previous="5.0.3"), change("pay", -1, version="5.0.3", previous="5.1.0")
    again = change("pay", -20, version="5.1.0", previous="5.0.3")
    verified = RUN._replace(took_back=bad.id, verified=True)

    def undone_at(changes: list[Change], run: ActionRun) -> datetime | None:
        return with_own(changes, [run])[0].undone_at

    assert undone_at([bad, back], verified) == RUN.at
    assert undone_at([bad, back], verified._replace(verified=False)) is None
    assert undone_at([bad], verified) is None and undone_at([bad, back, again], verified) is None


def test_clocks_of_two_systems_may_differ_a_little() -> None:
    before = change("pay", 0, version="5.0.3").model_copy(update={"at": ONSET - timedelta(seconds=20)})

    assert with_own([before], [RUN])[0].by_action == "AP-1"
