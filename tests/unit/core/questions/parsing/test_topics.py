"""What a question names, and that a long catalogue makes it no slower than it must be."""

from bot.core.questions.parsing.topics import named_in, topics_of
from tests.unit.tools.tool_fixture import INFOS

SERVICES = frozenset({"checkout", "checkout-api", "ledger_db", "Cart", "---"})


def test_names_are_found_as_whole_words_however_they_are_parted() -> None:
    assert named_in("Ledger-DB and CART fail; checkouts and cartoons do not", SERVICES) == {"ledger_db", "Cart"}


def test_of_two_names_at_one_place_the_longer_is_meant() -> None:
    assert named_in("checkout-api is slow", SERVICES) == {"checkout-api"}
    assert named_in("checkout-api and checkout are slow", SERVICES) == {"checkout", "checkout-api"}


def test_without_services_none_is_named() -> None:
    assert named_in("checkout is slow", ()) == frozenset()


def test_what_is_left_of_a_question_holds_no_name() -> None:
    asked = topics_of("is the memory of checkout-api leaking?", SERVICES, INFOS)

    assert (asked.services, asked.words) == ({"checkout-api"}, {"memory"})


class Counted(str):
    """A name that counts how often it is taken apart."""

    times = 0

    def lower(self) -> str:
        Counted.times += 1
        return super().lower()


def test_names_are_made_ready_once_for_all_lines() -> None:
    names = frozenset({Counted("warehouse"), Counted("billing")})

    for number in range(50):
        assert named_in(f"line {number}: billing is slow", names) == {"billing"}

    assert Counted.times == len(names)
