"""Items of the stage are dealt out to worlds: each is played once, and each kind's legitimate twin once."""

from collections import Counter
from dataclasses import replace

from tests.attacks.groups import SIZE, grouped
from tests.attacks.items import Item

ITEM = Item("own-x-001", "render", "log_line", "message", "breaks", "", (), "text", "", {}, False)


def test_every_item_is_in_one_group_every_twin_in_one_and_the_storms_are_spread() -> None:
    storms = [replace(ITEM, id=f"storm-{at}", category="huge", rule={"rule": "many_posts"}) for at in range(3)]
    chosen = {"render": [replace(ITEM, id=f"calm-{at}") for at in range(3 * SIZE)], "huge": storms}

    groups = list(grouped(chosen))
    played = [item for group in groups for items in group.items.values() for item in items]

    assert Counter(item.id for item in played) == Counter(item.id for items in chosen.values() for item in items)
    assert sorted(twin for group in groups for twin in group.twins) == ["huge", "render"]
    assert max(group.size for group in groups) <= SIZE
    assert [len(group.items.get("huge", [])) for group in groups] == [1, 1, 1, 0]


def test_few_items_start_no_world_without_any() -> None:
    assert [group.size for group in grouped({"render": [ITEM]})] == [1]
