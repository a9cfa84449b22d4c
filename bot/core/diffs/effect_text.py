"""What a diff does, in words for people."""

from bot.core.diffs.effect_kinds import KINDS
from bot.core.diffs.effects.safeguards import NO_NUMBER, REUSED, RIGHTS
from bot.core.facts.code import EffectFact
from bot.core.text.untrusted import one_line


def effect_text(effect: EffectFact) -> str:
    """An effect in words that stand in the tool's own lines."""
    name = one_line(effect.name, 80)
    if effect.kind == "index" or not (effect.before or effect.after):
        return KINDS[effect.kind].text.format(name)
    if effect.before == NO_NUMBER:
        return _unbounded_text(effect, name)
    if (effect.kind, effect.name) == ("access", RIGHTS):
        return f"allows roles less ({one_line(effect.after, 40)})"
    if effect.before == REUSED:
        return f"connects anew for each call in place of {name}"
    if effect.kind == "comparison":
        return f"compares with {one_line(effect.after, 40)} instead of {one_line(effect.before, 40)}"
    if effect.kind == "guard" and effect.after == "required":
        return f"lets nobody leave out what it took without ({name})"
    if effect.kind == "guard":
        return f"{'adds' if effect.after else 'removes'} the guard {name}"
    if effect.before and effect.after:
        return f"changes {name} from {one_line(effect.before, 40)} to {one_line(effect.after, 40)}"
    if effect.before:
        return f"removes {name} ({one_line(effect.before, 40)})"
    return f"adds {name} ({one_line(effect.after, 40)})"


def _unbounded_text(effect: EffectFact, name: str) -> str:
    """A bound that is gone, of which no number was known."""
    if effect.kind == "pool":
        return f"no longer limits how much is done at once ({name})"
    return f"tries again without end ({name})" if effect.kind == "retry" else f"no longer limits a length or size with {name}"
