"""Lines that tell of another version of a package, or of the image that a program runs in."""

import re

from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.effects.deployment.images import is_base_image
from bot.core.diffs.effects.deployment.packages import is_small_step
from bot.core.diffs.identifiers import word_stems
from bot.core.diffs.reason import Reason
from bot.core.diffs.symptoms.code_text import without_values
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.facts.code import EffectFact
from bot.core.tuning.changes import DiffWeights

_DOES_NOT_START = re.compile(
    r"exec (format|/|user process)|glibc|shared object|import ?error|module ?not ?found|nosuchmethod|classnotfound|"
    r"incompatible|undefined symbol|cannot find module|unsupported (class|version)|crash.?loop|failed to start|"
    r"startup(?!\W+(?:(?:is|was|has)\W+)?(?:complete|finish|done|succe|took|time))",
    re.I,
)
_DOCUMENTED = re.compile(r"\b(?:visit|see|refer to|read more|documentation)\b\W{0,3}https?://(\S{4,200})", re.I)
"""Where a library says that more stands about its failures: nobody types such a sentence into a request."""
_OF_SYSTEM = re.compile(
    r"signed by unknown authority|unable to get local issuer|system (?:root )?certificates|unknown time zone|"
    r"ZoneRulesException|No time zone found|TimeZoneNotFound|time zone .{0,60}not found|lib\w+\.so\S*: cannot open",
    re.I,
)
"""What fails without the certificates, time zones and libraries that the base of an image brings."""
_HOST_OF_PACKAGE = re.compile(r"^@?[\w-]+(?:\.[\w-]+)*\.(?:com|org|io|net|dev|in)/")
"""Where a package lies, which many share: `github.com/`, `golang.org/`."""


def by_dependency(effect: EffectFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str]) -> Reason | None:
    """Points, the reason in words and the evidence of the line; None where no line tells of the package.

    `usual`: words of lines as they come on any day, which tell of none.
    """
    text, small = effect_text(effect), is_small_step(effect.before, effect.after)
    if line := _line_naming_package(effect, symptoms, usual):
        return Reason(weights.small_step if small else weights.dependency, f"{text}, which new lines name", line.evidence)
    if is_base_image(effect) and (line := _matched(symptoms, _OF_SYSTEM)):
        return Reason(weights.effect, f"{text}, and new lines miss what an image holds", line.evidence)
    if not small and (line := _matched(symptoms, _DOES_NOT_START)):
        return Reason(weights.startup, f"{text}, and it does not start", line.evidence)
    return None


def _line_naming_package(effect: EffectFact, symptoms: Symptoms, usual: frozenset[str]) -> SymptomText | None:
    """A line in which the program names a package, else one that links to its documentation."""
    own = word_stems(_HOST_OF_PACKAGE.sub("", effect.name)) - usual
    named = (line for line in symptoms.with_reliable_names() if own & word_stems(_by_program(line)))
    linked = (line for line in symptoms.new() if own & word_stems(" ".join(_DOCUMENTED.findall(line.text))))
    return next(named, None) or next(linked, None)


def _matched(symptoms: Symptoms, pattern: re.Pattern[str]) -> SymptomText | None:
    return next((line for line in symptoms.new() if pattern.search(line.text)), None)


def _by_program(text: SymptomText) -> str:
    """What the program wrote of a text: nearly all of a line that it left behind when it did not start."""
    return f"{text.by_code}\n{without_values(text.text)}" if _DOES_NOT_START.search(text.text) else text.by_code
