"""What alerted again and again during the bursts of a service belongs to them."""

from bot.core.alerts.ties.cascades import TIED_AFTER, Cascades
from tests.unit.builders import at


def after(bursts: int, alone: int = 0) -> Cascades:
    cascades = Cascades()
    for number in range(bursts):
        cascades.note("registry", at(number * 60), [(number, {"web", "checkout"})])
        cascades.note("registry", at(number * 60 + 1), [(number, {"web", "checkout"})])
    for number in range(alone):
        cascades.note("registry", at(10_000 + number * 60), [])
    return cascades


def test_what_alerts_in_every_burst_of_a_service_is_tied_to_it_both_ways() -> None:
    cascades = after(TIED_AFTER)

    assert cascades.ties("registry") == {name: f"registry alerted in 3 bursts of {name}" for name in ("web", "checkout")}
    assert list(cascades.ties("web")) == ["registry"]


def test_two_bursts_are_a_coincidence() -> None:
    assert after(TIED_AFTER - 1).ties("registry") == {}


def test_what_alerts_as_often_alone_is_not_tied() -> None:
    cascades = after(TIED_AFTER, alone=5)
    cascades.note("registry", at(20_000), [(99, {"web"})])

    assert cascades.ties("registry").get("web") is None and cascades.ties("web") == {}


def test_what_is_tied_and_then_alerts_alone_again_and_again_is_tied_no_more() -> None:
    cascades = after(TIED_AFTER, alone=100)

    assert cascades.ties("registry") == {} and cascades.ties("web") == {}


def test_a_tie_that_ends_leaves_the_one_that_the_other_end_has_by_itself() -> None:
    cascades = Cascades()
    for number in range(TIED_AFTER):
        cascades.note("registry", at(number * 60), [(number, {"web"})])
        cascades.note("web", at(number * 60), [(100 + number, {"registry"})])
    for number in range(5):
        cascades.note("registry", at(10_000 + number * 60), [])

    assert cascades.ties("web") == {"registry": "web alerted in 3 bursts of registry"}
    assert cascades.ties("registry") == {"web": "web alerted in 3 bursts of registry"}
