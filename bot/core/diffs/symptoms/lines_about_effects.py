"""Lines that name what an effect changed, or miss it: a table, a setting, a variable, an image."""

import re

from bot.core.diffs.identifiers import contains_identifier, is_distinctive, word_stems
from bot.core.diffs.symptoms.code_text import without_values
from bot.core.diffs.symptoms.stated_causes import may_bring_about
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.facts.code import EffectFact

_MISSING = re.compile(
    r"not (found|registered|defined|exist|configured|initiali[sz]ed|available|mapped|supported|recogni[sz]ed)|doesn.t exist|"
    r"no (such|process|consumers?|workers?|subscribers?|mapping|route|handler|provider|table|column|field|method|bean|module)|"
    r"unknown|undefined|missing|unresolved|"
    r"unrecogni[sz]ed|cannot (find|resolve)|is required|key ?error|not set\b|unset\b",
    re.I,
)
"""What a program says of a name that it does not find."""
_REFUSES_ROW = re.compile(r"violates|constraint|null value in column|cannot be null|duplicate (key|entry)|out of range", re.I)
_BRINGS_IN = re.compile(
    r"regist|init|load|seed|populat|mount|bind|configur|provid|migrat|setup|subscrib|install|enabl|add|boot|start|connect|creat",
    re.I,
)
"""Calls without which something is missing later."""
_OF_ANY_FAILURE = re.compile(r"errors?|exceptions?|panic|status|code|message", re.I)
_WORDS_OF_SETTING = 2
"""Words of a setting's name that no failure holds by chance."""
_SIZE = re.compile(r"[\"']?(\d+(?:\.\d+)?[KMGT]i?B?)[\"']?", re.I)
"""A size with its unit; times with theirs, such as `30s`, stand in any line."""
_IMAGE = re.compile(r"(^|[._-])(image|tag)$", re.I)
_NO_IMAGE = re.compile(r"pull\w* image|image ?pull|errimagepull|manifest unknown|image .{0,80}not found", re.I)
"""What a node says of an image that is not there."""
_OF_ANY_SETTING = word_stems(
    "max min limit timeout time delay connect connection pool size memory cpu retry attempt cache queue wait idle host port "
    "interval batch worker thread rate level mode enabled buffer count"
)
"""Words of many settings and of as many failures: their kinds tell of those."""
_OF_ANY_CALL = word_stems("read write request response call socket http client server query message")
_WORDS_OF_NAME = re.compile(r"[a-z]+|[A-Z][a-z]*")


def says_missing(text: str) -> bool:
    """Whether a text tells that something is not there."""
    return bool(_MISSING.search(text))


def line_missing(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A line that misses the name; of a name that is another one now, the line may miss that."""
    named = (effect.name, effect.name.rpartition(".")[2], *((effect.after,) if effect.kind == "name" else ()))
    names = [name for name in named if len(name) > 2 and not _OF_ANY_FAILURE.fullmatch(name)]
    missing = [symptom for symptom in symptoms.new() if _MISSING.search(symptom.text)]
    return next((symptom for symptom in missing for name in names if contains_identifier(symptom.by_code, name)), None)


def line_of_refused_row(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A line of a database that names the table and says that it takes no such row."""
    lines = (line for line in symptoms.new() if not line.alert and _REFUSES_ROW.search(line.text))
    return next((line for line in lines if contains_identifier(line.by_code, effect.name)), None)


def line_with_setting(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A failure that holds two words of a setting's own name: `insync replicas below min.isr` of `min.insync.replicas`."""
    own = word_stems(effect.name) - _OF_ANY_SETTING
    if len(own) < _WORDS_OF_SETTING or effect.kind == "dependency":
        return None
    failures = [line for line in symptoms.new() if not line.alert and not line.mentions_only]
    return next((line for line in failures if len(own & _words_with_joined(line.text)) >= _WORDS_OF_SETTING), None)


def line_with_whole_setting(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A failure that spells the whole name of a setting: `due to statement timeout` of `statement_timeout`.

    Not of a name that many have, as `read_timeout`.
    """
    words = [word.lower() for word in _WORDS_OF_NAME.findall(effect.name.rpartition(".")[2])]
    if len(words) < _WORDS_OF_SETTING or not word_stems(" ".join(words)) - _OF_ANY_SETTING - _OF_ANY_CALL:
        return None
    whole_name = re.compile(rf"\b{' '.join(words)}\b", re.I)
    if any(map(whole_name.search, symptoms.usual)):
        return None
    failures = (line for line in symptoms.new() if not (line.alert or line.mentions_only or line.apart))
    return next((line for line in failures if whole_name.search(line.text) and may_bring_about(effect, line.text)), None)


def line_with_both(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A failure that holds what a name or setting was and what it is now: nobody types both."""
    before, after = (value.strip("\"'") for value in (effect.before, effect.after))
    if before == after or not (is_distinctive(before) and is_distinctive(after)):
        return None
    failures = (line for line in symptoms.new() if not line.alert and not line.mentions_only)
    shorter, longer = sorted((before, after), key=len)
    # `dispatch.dlx` stands within `dispatch.dlx.v2`.
    holding = (line for line in failures if contains_identifier(line.text, longer))
    return next((line for line in holding if contains_identifier(line.text.replace(longer, " "), shorter)), None)


def line_with_new_limit(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A line that calls the size which the effect sets its limit: `limit=2Gi`."""
    size = _SIZE.fullmatch(effect.after) if effect.kind in ("memory", "limit") else None
    if size is None:
        return None
    stated = re.compile(rf"\blimit(?:\s*[=:]\s*|\s+(?:of |is )?)[\"']?{re.escape(size.group(1))}(?!\w)", re.I)
    return next((line for line in symptoms.new() if not line.alert and stated.search(line.text)), None)


def line_with_field(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A failure that names a field of another type. Words such as `status` stand in any: they count as names of code."""
    if effect.kind != "format" or not (effect.before and effect.after):
        return None
    failures = [line for line in symptoms.new() if not line.alert and not line.mentions_only]
    whole = is_distinctive(effect.name)
    return next((line for line in failures if contains_identifier(line.text if whole else line.by_code, effect.name)), None)


def line_without_image(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A line of a node that cannot get an image, where the diff names another one."""
    if not (_IMAGE.search(effect.name) and effect.after):
        return None
    return next((line for line in symptoms.new() if not line.alert and _NO_IMAGE.search(line.text)), None)


def line_about_variable(effect: EffectFact, symptoms: Symptoms, usual: frozenset[str]) -> SymptomText | None:
    """A failure that misses the new name of a variable of the environment, or about what it is for, by a word of its name."""
    missing = (line for line in symptoms.new() if _MISSING.search(line.text) and not line.alert)
    if line := next((line for line in missing if contains_identifier(line.by_code, effect.after)), None):
        return line
    own = (word_stems(effect.name) | word_stems(effect.after)) - _OF_ANY_SETTING - usual
    failures = [line for line in symptoms.new() if not line.alert and not line.mentions_only]
    return next((line for line in failures if own & word_stems(without_values(line.text))), None)


def _words_with_joined(text: str) -> frozenset[str]:
    """The words of a line; of `in-sync` also the one that a setting's name makes of it."""
    plain = without_values(text)
    return word_stems(plain) | word_stems(plain.replace("-", ""))


def line_missing_call(effect: EffectFact, symptoms: Symptoms, usual: frozenset[str]) -> SymptomText | None:
    """A line that misses what a call that is gone brought in."""
    if not _BRINGS_IN.search(effect.name):
        return None
    own = word_stems(effect.name)
    missing = [symptom for symptom in symptoms.new() if _MISSING.search(symptom.text)]
    return next((symptom for symptom in missing if (word_stems(without_values(symptom.text)) & own) - usual), None)
