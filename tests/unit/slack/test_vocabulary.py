"""An unknown verb is answered with the command that its sender may have meant."""

import pytest

from bot.commands.__main__ import verbs
from bot.core.actor import Actor
from bot.core.commands.synonyms import SYNONYMS
from bot.core.errors import NotFound
from bot.plugins import Request
from bot.slack.vocabulary import Vocabulary


def answer(line: str) -> str:
    verb, _, text = line.partition(" ")
    with pytest.raises(NotFound) as refused:
        Vocabulary(verbs(), ["restart_checkout"]).command(Request(verb, Actor(team="T1", user="UALICE"), "C1", text=text))
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("unmute", "silence end"),
        ("please unmute checkout", "silence end"),
        ("unpause", "admin resume"),
        ("reject AP-3", "deny"),
        ("abort", "stop"),
        ("unmerge AL-3", "split"),
        ("restart checkout", "propose"),
        ("restart_checkout now", "propose"),
        ("aprove AP-3", "approve"),
    ],
)
def test_an_unknown_verb_gets_the_command_that_does_it_here(line: str, meant: str) -> None:
    assert f" Did you mean {meant}? " in answer(line)


def test_a_word_that_takes_back_is_not_answered_with_what_it_takes_back() -> None:
    assert "Did you mean" not in answer("unack AL-3")


def test_whatever_is_suggested_exists() -> None:
    assert {command.split()[0] for command in SYNONYMS} <= verbs().keys()
    assert not {word for words in SYNONYMS.values() for word in words.split()} & Vocabulary(verbs(), []).by_word().keys()
