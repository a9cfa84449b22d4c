"""Which command a word means, and the error where it means none."""

from collections.abc import Collection, Mapping

from bot.core.commands.plain_speech import means_remediation, requested_verb
from bot.core.commands.synonyms import command_meant, is_opposite
from bot.core.commands.verb_line import nearest
from bot.core.errors import NotFound
from bot.plugins import Command, Request

QUESTION_VERB = "ask"
"""The verb that plain speech in an incident's thread means."""


CLAIM_VERB = "ack"
"""The verb that "I'm on it" means."""


class Vocabulary:
    """The verbs of this installation; `actions` are the remediations that people may name instead of one."""

    def __init__(self, verbs: Mapping[str, Command], actions: Collection[str]) -> None:
        self.verbs, self.actions = verbs, actions

    def by_word(self) -> dict[str, Command]:
        """The commands by their verbs and aliases."""
        return {word: command for command in self.verbs.values() for word in (command.name, *command.aliases)}

    def command(self, request: Request) -> Command:
        """The command of a verb or alias. Raises NotFound, which names the nearest for a mistyped one."""
        by_word, verb = self.by_word(), request.verb
        if command := by_word.get(verb or "panel"):
            return command
        near = self._near(verb, requested_verb([verb, *request.text.split()]), by_word)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        about_questions = " A question begins with ask." if QUESTION_VERB in by_word and request.text else ""
        raise NotFound(f"I do not know the verb {verb[:40]}.{hint}{about_questions} The verb help lists all. Nothing was done.")

    def _near(self, verb: str, meant: str, words: Collection[str]) -> list[str]:
        """What may be meant: the verb that is asked for, a remediation, a command of another name, else those spelt alike."""
        if meant in words:
            return [meant]
        if meant in self.actions and "propose" in words:
            return ["propose"]
        if (other := command_meant(meant)) and other.split()[0] in words:
            return [other]
        # A verb with one slip is a slip: "stpo" is no remediation, and "restart" is no slip.
        if means_remediation(meant) and "propose" in words:
            return ["propose"]
        return nearest(verb, [word for word in words if not is_opposite(verb, word)])


def check_options(command: Command, options: Mapping[str, str]) -> None:
    """Raise NotFound for an option that the verb does not have, with those that it has."""
    unknown = [name for name in options if name not in command.options] if "*" not in command.options else []
    if not unknown:
        return
    valid = ", ".join(f"{name}=" for name in command.options) or "none"
    listed = ", ".join(f"{name}=" for name in unknown)
    raise NotFound(f"{command.name} does not know {listed}. Its options: {valid}. Nothing was done.")
