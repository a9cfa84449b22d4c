"""A memo: bounded, and what does not quite fit is forgotten a little at a time."""

from bot.core.memo import Memo


def test_it_never_holds_more_than_its_size() -> None:
    memo: Memo[int, int] = Memo(10)
    for number in range(100):
        memo.put(number, number)

    assert len(memo) == 10
    assert sum(memo.get(number) is not None for number in range(100)) == 10


def test_most_of_what_is_used_in_turn_is_found_although_it_does_not_all_fit() -> None:
    memo: Memo[int, int] = Memo(1000)
    hits = 0
    for turn in range(5):
        for number in range(1100):
            if memo.get(number) is None:
                memo.put(number, number)
            elif turn == 4:
                hits += 1

    assert hits > 750


def test_what_was_forgotten_makes_room() -> None:
    memo: Memo[str, int] = Memo(2)
    memo.put("a", 1)

    assert (memo.pop("a"), memo.pop("a"), memo.get("a")) == (1, None, None)
    for name in "bcde":
        memo.put(name, 2)
    assert len(memo) <= 2
