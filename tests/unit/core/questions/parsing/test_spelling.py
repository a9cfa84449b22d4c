"""Questions as they are typed at night."""

import pytest

from bot.core.questions.parsing.spelling import spelled_out, with_possessives


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("whats up w/ cart", "what is up with cart"),
        ("who's on call", "who is on call"),
        ("what the hell is going on", "what is going on"),
        ("isnt it the db", "isn't it the db"),
        ("when's it gonna stop", "when is it going to stop"),
        ("any alerts rn?", "any alerts right now?"),
        ("so its not the db right", "so its not the db?"),
        ("how much error budget is left?", "how much budget is left?"),
        ("it's the deploy, isn't it?", "it's the deploy?"),
        ("is the provider down or what", "is the provider down?"),
        ("did anyone ack or is it just me?", "did anyone ack?"),
        ("it was bob who pushed the deploy, no?", "whether it was bob who pushed the deploy?"),
    ],
)
def test_a_question_typed_in_haste_is_spelled_out(typed: str, meant: str) -> None:
    assert spelled_out(typed) == meant


@pytest.mark.parametrize(
    "question", ["is the config right?", "which deploy is it?", "is r-api up?", "what is it", "cart or auth?"]
)
def test_what_ends_in_no_mere_call_for_assent_stays(question: str) -> None:
    assert spelled_out(question) == question


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("catalogues fault", "is it catalogue's fault?"),
        ("so its carts fault?", "is it cart's fault?"),
        ("is it catalogues fault?", "is it catalogue's fault?"),
        ("did carts deploy break it?", "did cart's deploy break it?"),
        ("orders fault?", "orders fault?"),
        ("are carts empty?", "are carts empty?"),
        ("who's fault", "who's fault"),
    ],
)
def test_a_service_with_an_s_before_what_it_has_is_its_owner(typed: str, meant: str) -> None:
    assert with_possessives(typed, ["catalogue", "cart", "order", "orders"]) == meant
