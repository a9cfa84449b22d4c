"""What a diff surely changes of what its program does, whatever the trouble is."""

from bot.core.diffs.effect_kinds import Trait, kinds_with
from bot.core.diffs.symptoms.expected_symptoms import change_of
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.tuning import TUNING
from bot.core.tuning.changes import DiffWeights

_TIDYING = kinds_with(Trait.TIDYING)


def consequence_of(diff: DiffFact, weights: DiffWeights = TUNING.diffs) -> EffectFact | None:
    """The first effect that is more than tidying: a limit of another size, another order of locks, a package that is gone.

    None for a diff of which nothing like that is recognised. Diffs that broke something have one far more often than innocent
    ones beside them, whatever the symptoms.
    """
    if diff.inert or diff.moved:
        return None
    return next((effect for effect in diff.effects if _is_consequential(effect, weights)), None)


def _is_consequential(effect: EffectFact, weights: DiffWeights) -> bool:
    if effect.kind == "dependency":
        return bool(effect.before) and not effect.after
    return effect.kind not in _TIDYING and change_of(effect, weights)[1] >= weights.consequential
