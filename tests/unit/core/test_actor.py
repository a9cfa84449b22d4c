"""Who may read what belongs to a channel, and where an answer about it may stand."""

import pytest

from bot.core.actor import (
    UNKNOWN,
    Actor,
    ChannelAccess,
    KnownChannels,
    Visibility,
    may_answer_in,
    may_fall_back,
    may_read,
    may_recall,
)

PUBLIC, PRIVATE = ChannelAccess(), ChannelAccess(is_private=True, members=frozenset({"UIN"}))
MEMBER, INSIDER = Actor(user="UOUT"), Actor(user="UIN")
STRANGERS = [Actor(user="UIN", **{what: True}) for what in ("is_guest", "is_stranger", "is_bot", "is_deleted")]


@pytest.mark.parametrize(
    ("actor", "here", "access", "readable"),
    [
        (MEMBER, "C2", PUBLIC, True),
        (MEMBER, "", PUBLIC, True),
        (MEMBER, "C2", PRIVATE, False),
        (MEMBER, "D1", PRIVATE, False),
        (INSIDER, "D1", PRIVATE, True),
        (INSIDER, "C2", PRIVATE, True),
        (INSIDER, "C2", UNKNOWN, False),
        (MEMBER, "C1", UNKNOWN, True),
    ],
)
def test_members_read_public_channels_their_own_private_ones_and_the_one_where_they_ask(
    actor: Actor, here: str, access: ChannelAccess, readable: bool
) -> None:
    assert may_read(actor, "C1", here, access) is readable


@pytest.mark.parametrize("actor", STRANGERS)
def test_guests_bots_and_strangers_read_only_what_stands_where_they_ask(actor: Actor) -> None:
    assert may_read(actor, "C1", "C1", PRIVATE)
    assert not any(may_read(actor, "C1", here, access) for here in ("C2", "D1", "") for access in (PUBLIC, PRIVATE))


def test_what_belongs_to_no_channel_is_for_full_members() -> None:
    assert may_read(MEMBER, "", "", PUBLIC) and not may_read(STRANGERS[0], "", "", PUBLIC)


@pytest.mark.parametrize(
    ("here", "access", "here_access", "allowed"),
    [
        ("C1", PRIVATE, PRIVATE, True),
        ("D1", PRIVATE, UNKNOWN, True),
        ("C2", PUBLIC, PUBLIC, True),
        ("C2", PRIVATE, PUBLIC, False),
        ("C2", PUBLIC, ChannelAccess(is_shared=True), False),
    ],
)
def test_an_answer_stands_where_all_could_read_what_it_is_about(
    here: str, access: ChannelAccess, here_access: ChannelAccess, allowed: bool
) -> None:
    assert may_answer_in("C1", here, access, here_access) is allowed


@pytest.mark.parametrize(
    ("of", "here", "access", "here_access", "allowed"),
    [
        (Visibility("C1"), "C1", PRIVATE, PRIVATE, True),
        (Visibility("C1", is_private=True), "C1", PUBLIC, PUBLIC, True),
        (Visibility("C1"), "C2", PUBLIC, PRIVATE, True),
        (Visibility("C1"), "C2", PRIVATE, PUBLIC, False),
        (Visibility("C1", is_private=True), "C2", PUBLIC, PUBLIC, False),
        (Visibility("C1"), "C2", PUBLIC, ChannelAccess(is_shared=True), False),
        (Visibility("C1"), "C2", UNKNOWN, PUBLIC, False),
    ],
)
def test_an_investigation_names_only_past_incidents_that_everybody_there_may_read(
    of: Visibility, here: str, access: ChannelAccess, here_access: ChannelAccess, allowed: bool
) -> None:
    assert may_recall(of, here, access, here_access) is allowed


@pytest.mark.parametrize(
    ("of", "access", "here_access", "allowed"),
    [
        (Visibility("C1"), PUBLIC, PUBLIC, True),
        (Visibility("C1"), PUBLIC, PRIVATE, True),
        (Visibility("C1"), PRIVATE, PUBLIC, False),
        (Visibility("C1"), UNKNOWN, PUBLIC, False),
        (Visibility("C1"), ChannelAccess(is_shared=True), PUBLIC, False),
        (Visibility("C1"), PUBLIC, ChannelAccess(is_shared=True), False),
        (Visibility("C1", is_private=True), PUBLIC, PUBLIC, False),
    ],
)
def test_what_its_own_channel_refuses_stands_elsewhere_only_if_that_channel_is_known_to_be_everybodys(
    of: Visibility, access: ChannelAccess, here_access: ChannelAccess, allowed: bool
) -> None:
    assert may_fall_back(of, "C2", access, here_access) is allowed


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Visibility("public"), Visibility("open"), True),
        (Visibility("public"), Visibility("secret"), False),
        (Visibility("public"), Visibility("shared"), False),
        (Visibility("public"), Visibility("never heard of"), False),
        (Visibility("public"), Visibility("open", is_private=True), False),
        (Visibility("secret"), Visibility("secret"), True),
        (Visibility("public"), Visibility("public", is_private=True), True),
        (Visibility("never heard of"), Visibility("never heard of"), True),
    ],
)
def test_a_card_holds_what_belongs_to_two_channels_only_if_everybody_may_read_both(
    one: Visibility, other: Visibility, together: bool
) -> None:
    channels = KnownChannels({"public": PUBLIC, "open": PUBLIC, "secret": PRIVATE, "shared": ChannelAccess(is_shared=True)})

    assert [channels.may_share_card(one, other), channels.may_share_card(other, one)] == [together, together]
