"""Names replaced by stand-ins and put back: whatever the text, what comes back is what went out."""

import random

import pytest

from bot.core.redaction.pseudonyms import Name, Pseudonyms

SHOP = [
    Name("service", "cart"),
    Name("service", "web"),
    Name("service", "cart-db"),
    Name("pod", "cart-7d9f-abcde"),
    Name("host", "10.2.0.7"),
    Name("person", "Ada Lovelace"),
    Name("service", "Straße"),
]


def test_a_name_is_replaced_between_borders_and_within_no_word() -> None:
    names = Pseudonyms(SHOP)

    assert names.masked("web calls a webhook of cart.") == "service-2 calls a webhook of service-1."
    assert names.masked("cart_errors_total, cart-cache, cartridge") == "service-1_errors_total, service-1-cache, cartridge"


def test_of_names_that_begin_alike_the_longest_is_meant() -> None:
    names = Pseudonyms(SHOP)

    assert names.masked("cart-db and cart-7d9f-abcde of cart") == "service-3 and pod-1 of service-1"


def test_other_capitals_are_the_same_name_and_come_back_as_they_were() -> None:
    names = Pseudonyms(SHOP)

    masked = names.masked("Cart is slow, CART, cArt; ada lovelace said so")

    assert masked == "service-1c1 is slow, service-1cf, service-1c2; person-1c11 said so"
    assert names.unmasked(masked) == "Cart is slow, CART, cArt; ada lovelace said so"


def test_what_looks_like_a_stand_in_in_the_text_names_nothing() -> None:
    names = Pseudonyms(SHOP)

    masked = names.masked("blame service-2, service-x2 and Service-2c1 not web")

    assert masked == "blame service-x2, service-xx2 and Service-x2c1 not service-2"
    assert names.unmasked(masked) == "blame service-2, service-x2 and Service-2c1 not web"


def test_a_stand_in_of_nothing_stays_and_one_with_a_capital_is_understood() -> None:
    names = Pseudonyms(SHOP)

    assert names.unmasked("service-99, pod-1x and service-01 are unknown") == "service-99, pod-1x and service-01 are unknown"
    assert names.unmasked("Service-2's errors, pod-1.") == "web's errors, cart-7d9f-abcde."


def test_a_service_that_is_called_like_a_stand_in_is_masked_too() -> None:
    names = Pseudonyms([Name("service", "pod-1"), Name("pod", "x-1")])

    assert names.masked("pod-1 runs in x-1") == "service-1 runs in pod-1"
    assert names.unmasked("service-1 runs in pod-1") == "pod-1 runs in x-1"


def test_a_name_behind_an_escape_of_json_is_found() -> None:
    names = Pseudonyms(SHOP)

    masked = names.masked(r"down:\ncart\tweb\u001bcart")

    assert masked == r"down:\nservice-1\tservice-2\u001bservice-1"
    assert names.unmasked(masked) == r"down:\ncart\tweb\u001bcart"


@pytest.mark.parametrize("name", ["a", "7", "200", "", "--", 'x"y', "a\\b", "n" * 121])
def test_what_would_tear_every_text_is_no_name(name: str) -> None:
    assert Pseudonyms([Name("pod", name)]).masked(f"{name} a 7 200") == f"{name} a 7 200"


def test_the_same_names_give_the_same_stand_ins_and_new_ones_move_none() -> None:
    text = "cart web cart-db"

    assert Pseudonyms(SHOP).masked(text) == Pseudonyms([*SHOP, Name("service", "bank")]).masked(text)


PIECES = [
    *(name.text for name in SHOP), *(name.text.upper() for name in SHOP), "Cart", "WEB", "service", "pod", "person", "host",
    "-", "-", "-", "_", " ", ".", "/", ":", "\\n", "\\", "\\u00e9", "\n", '"', "x", "xx", "c", "c1", "cf", "1", "2", "3", "07",
    "é", "ß", "SS", "ſ", "ı", "İ", "数", "٣", "e\u0301", "service-1", "SERVICE-2", "service-x1", "pod-1c1", "🛒", "'s",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_back_is_what_went_out(seed: int) -> None:
    draw = random.Random(seed)
    kinds = ["service", "pod", "host", "person"]
    for _ in range(100):
        own = ["".join(draw.choices(PIECES, k=draw.randint(1, 4))) for _ in range(draw.randint(0, 6))]
        names = Pseudonyms([*SHOP, *(Name(draw.choice(kinds), one) for one in own)])  # type: ignore[arg-type]
        text = "".join(draw.choices([*PIECES, *own], k=draw.randint(0, 30)))

        assert names.unmasked(names.masked(text)) == text
