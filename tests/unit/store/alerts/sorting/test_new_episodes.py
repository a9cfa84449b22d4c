"""New episodes: written together, numbered in the order of their alerts, whatever else is written between them."""

from tests.unit.store.databases import SortingFixture, alert


async def test_episodes_are_numbered_in_the_order_of_their_alerts_also_where_groups_open_between_them(
    sorting: SortingFixture,
) -> None:
    services = ("s1", "s1", "s2", "s1", "s3", "s2")

    await sorting.receive(*(alert(f"f{n}", labels={"service": service}) for n, service in enumerate(services)))

    numbered = sorted(await sorting.episodes(), key=lambda episode: episode.id or 0)
    assert [(episode.fingerprint, episode.service) for episode in numbered] == [(f"f{n}", s) for n, s in enumerate(services)]
    assert [group.alerts for group in await sorting.groups()] == [3, 2, 1]


async def test_what_fires_again_in_the_batch_in_which_it_began_is_one_episode_with_a_repeat(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"), alert("a"), alert("b", "resolved"))

    assert [(one.fingerprint, one.repeats, one.status) for one in await sorting.episodes()] == [
        ("a", 1, "firing"),
        ("b", 0, "resolved"),
    ]


async def test_an_episode_that_renews_its_group_has_its_number_and_those_before_it_have_lower_ones(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(10)

    await sorting.receive(alert("b", start=9), alert("c", start=9, name="DiskFull"), alert("d", start=9))

    (group,) = await sorting.groups()
    numbers = {episode.fingerprint: episode.id for episode in await sorting.episodes()}
    assert group.renewed_by == numbers["c"]
    assert sorted(numbers, key=lambda fingerprint: numbers[fingerprint] or 0) == ["a", "b", "c", "d"]


async def test_a_repeat_in_a_later_batch_counts_for_the_episode_that_was_written_with_others(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}") for n in range(5)))

    await sorting.receive(alert("f3"))

    assert [(episode.fingerprint, episode.repeats) for episode in await sorting.episodes() if episode.repeats] == [("f3", 1)]
