"""Whether a diff changes the code in which a new failure arises, by the stack frames that were logged."""

import re
from collections.abc import Iterable

from bot.core.diffs.reason import Reason
from bot.core.diffs.symptoms.code_text import Frame, frames, innermost_frame, is_file_of
from bot.core.diffs.symptoms.stated_causes import says_why
from bot.core.diffs.symptoms.symptoms import Symptoms
from bot.core.facts.code import DiffFact
from bot.core.text.untrusted import one_line
from bot.core.tuning.changes import DiffWeights

_BUILT = re.compile(r"(?:^|[/.-])(?:dist|build|bundle|out|min|chunk)[/.-]", re.I)
"""Files that many others were built into."""
ARISES = "where the failure arises"


def by_frames(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, service: str) -> list[Reason]:
    """Files and functions that the diff changes and in which, by its stack frames, a new failure arises: one sign at most.

    Points, the reason in words, the evidence of the failure. A function of another service may have the same name. What is
    only passed on the way there explains less, and so does code that a failure met which names its own cause.
    """
    return sorted(_frames(diff, symptoms, weights, service), key=lambda reason: -reason.points)[:1]


def _frames(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, service: str) -> Iterable[Reason]:
    usual = {frame for line in symptoms.usual for frame in frames(line)}
    for symptom in (symptom for symptom in symptoms.new() if not symptom.mentions_only):
        new = [frame for frame in frames(symptom.text) if frame not in usual]
        own = not (service and symptom.service) or symptom.service == service
        changed = [f"the code at {name}" for name in new if own and name in diff.around]
        changed += [one_line(path, 80) for path in diff.paths if any(is_file_of(frame, path) for frame in new)]
        if not changed:
            continue
        if own and not says_why(symptom.text) and _holds(diff, innermost_frame(symptom.text)):
            yield Reason(weights.frame, f"changes {changed[0]}, {ARISES}", symptom.evidence)
        else:
            yield Reason(weights.outer_frame, f"changes {changed[0]}, on the way to {ARISES}", symptom.evidence)


def _holds(diff: DiffFact, frame: Frame) -> bool:
    """Whether the diff changes the code of a frame: its file, if that is known and was not built; else a function so named."""
    if frame.file and not _BUILT.search(frame.file):
        return any(is_file_of(frame.file, path) for path in diff.paths)
    return frame.function in diff.around
