"""A plan of several actions as one thing to approve, and what is said of its steps."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bot.core.action import ATTEMPT_STARTED, OutcomeState, Plan, Replicas, Tier, VerificationState
from bot.core.approvals import in_force
from bot.core.approvals.blast_radius import most_away
from bot.core.approvals.canonical_record import text_fingerprint
from bot.core.config import Config, verbs
from bot.core.config.plans import PlanConfig
from bot.core.text.untrusted import one_line

UNDO = "undo"
"""The kind of a plan that takes the steps of another one back; a declared one's is `PlanConfig.kind`."""


class PlanName(NamedTuple):
    """What a plan is called, and the version of its declaration."""

    name: str
    kind: str
    title: str
    version: str


def declared(name: str, plan: PlanConfig, service: str) -> PlanName:
    """The name of a plan that the team declared."""
    title = plan.title or f"{name.replace('_', ' ').replace('-', ' ').capitalize()} {{service}}"
    return PlanName(name, plan.kind, one_line(title.replace("{service}", one_line(service, 60)), 140), version(plan))


def undoing(plan: Plan, ref: str) -> PlanName:
    """The name of the plan that takes steps of this one back."""
    return PlanName(f"{UNDO}-{plan.action}", UNDO, one_line(f"Undo the steps of {ref}: {plan.title}", 140), UNDO)


def name_of(plan: Plan) -> PlanName:
    """The name under which this plan was put to people."""
    return PlanName(plan.action, plan.kind, plan.title, plan.action_version)


def version(plan: PlanConfig) -> str:
    """The declaration in one word: another step is another plan."""
    body = json.dumps(plan.model_dump(mode="json"), sort_keys=True)
    return f"{plan.kind}+{hashlib.sha256(body.encode()).hexdigest()[:8]}"


def tier_of(name: str, steps: Iterable[Tier], config: Config) -> Tier:
    """The highest of its steps, at least 2; what its name says and `tier` of its declaration only raise it."""
    entry = config.plans.get(name)
    raised = entry.tier if entry is not None and entry.tier is not None else 0
    own = Tier(max(Tier.TWO, verbs.least_tier_of(name), raised, *steps))
    return in_force.tier(config, name, own)


def composed(called: PlanName, parts: Sequence[Plan], tier: Tier) -> Plan:
    """These actions, in this order, as one plan."""
    targets: dict[str, str] = {}
    for part in parts:
        targets = {**part.targets, **targets}
    return Plan(
        action=called.name,
        action_version=called.version,
        kind=called.kind,
        service=parts[0].service,
        title=called.title,
        arguments={},
        targets=targets,
        steps=[part.title for part in parts],
        dry_run="\n".join(f"step {number}, {part.action}:\n{part.dry_run}" for number, part in enumerate(parts, 1)),
        dry_run_ok=all(part.dry_run_ok for part in parts),
        replicas=_most_away(parts),
        tier=tier,
        undo=_undo_text(parts),
        parts=list(parts),
    )


def _most_away(parts: Sequence[Plan]) -> dict[str, Replicas]:
    """Of each target the step that takes the most away beyond what it may."""
    worst: dict[str, Replicas] = {}
    for target, replicas in (item for part in parts for item in part.replicas.items()):
        if target not in worst or _beyond(replicas) > _beyond(worst[target]):
            worst[target] = replicas
    return worst


def _beyond(replicas: Replicas) -> int:
    return replicas.away - most_away(replicas.desired)


def _undo_text(parts: Sequence[Plan]) -> str:
    """ "" where no step can be undone."""
    undone = sum(bool(part.undo) for part in parts)
    if undone == len(parts):
        return "undoing its steps in reverse"
    return f"undoing {undone} of its {len(parts)} steps" if undone else ""


def outdated(plan: Plan, versions: Mapping[str, str]) -> bool:
    """Whether the action, or a step, or the declaration is another one now. `versions`: of every entry and plan."""
    if plan.kind == PlanConfig.kind and versions.get(plan.action) != plan.action_version:
        return True
    return any(versions.get(run.action) != run.action_version for run in plan.runs)


def difference_of_whole(plan: Plan, fresh: Plan) -> str:
    """Why a plan would not do what was approved; "" if it would. All that the dry runs show is compared."""
    if plan.same_effect(fresh):
        return ""
    if plan.dry_run_ok and not fresh.dry_run_ok:
        return "its dry run does not work now"
    if fresh.tier != plan.tier and fresh.targets == plan.targets:
        differ = [new.title for new, old in zip(fresh.runs, plan.runs, strict=False) if new.tier != old.tier]
        return f"it is {fresh.tier.label} now and was approved as {plan.tier.label}: {', '.join(differ or [fresh.title])}"
    return "the target is not as it was when this was approved"


def difference(plan: Plan, step: int, fresh: Plan) -> str:
    """Why a later step would not do what was approved; "" if it would.

    What the steps before it touched is not as it was, and should not be: there the targets' names, the tier and the
    limits are compared, elsewhere all that the dry run shows.
    """
    part = plan.runs[step - 1]
    if not fresh.dry_run_ok:
        return "its dry run does not work now"
    if set(fresh.targets) != set(part.targets) or fresh.tier > part.tier:
        return "its targets or its tier are not those that were approved"
    if any(_beyond(replicas) > 0 for replicas in fresh.replicas.values()):
        return "it would take too many pods away at once now"
    if touched_before(plan, step) & set(part.targets):
        return ""
    same = text_fingerprint(fresh.dry_run) == text_fingerprint(part.dry_run) and fresh.targets == part.targets
    return "" if same else "its target is not as it was when this was approved"


def single(plan: Plan, step: int) -> Plan:
    """One step of a plan, or the single action, without what was decided about it and came of it."""
    run = plan.runs[step - 1]
    return Plan.model_validate({name: getattr(run, name) for name in Plan.model_fields})


def touched_before(plan: Plan, step: int) -> AbstractSet[str]:
    """The targets of the steps before this one."""
    return {target for run in plan.runs[: step - 1] for target in run.targets}


# ---------------------------------------------------------------- what is said of steps


def step_text(plan: Plan, step: int) -> str:
    """`step 2 of 3 (Restart checkout)`; "" for a single action."""
    if not plan.parts:
        return ""
    title = plan.parts[step - 1].title if step <= len(plan.parts) else "not in the record"
    return f"step {step} of {len(plan.parts)} ({one_line(title, 80)})"


def with_step(plan: Plan, step: int, text: str) -> str:
    """The text with its step before it; of a single action the text alone."""
    return f"{step_text(plan, step)}: {text}" if plan.parts else text


def not_run_text(plan: Plan, after: int) -> str:
    """` Step 3 did not run.` for what comes after a step; "" where nothing does."""
    left = list(range(after + 1, len(plan.parts) + 1))
    if not left:
        return ""
    if len(left) == 1:
        return f" Step {left[0]} did not run."
    return f" Steps {', '.join(map(str, left[:-1]))} and {left[-1]} did not run."


class StepState(StrEnum):
    """How far one step of a plan is; the words of OutcomeState and VerificationState are among them."""

    WAITING = "waiting"
    RUNNING = "running"
    RAN = "ran"
    NOT_RUN = "not run"
    RECOVERED = VerificationState.RECOVERED.value
    NOT_RECOVERED = VerificationState.NOT_RECOVERED.value
    COULD_NOT_VERIFY = VerificationState.COULD_NOT_VERIFY.value
    FAILED = OutcomeState.FAILED.value
    UNKNOWN = OutcomeState.UNKNOWN.value


@dataclass(frozen=True)
class StepRun:
    """What is stored of one step that was begun."""

    step: int
    state: str
    """Of its attempt: started, or an OutcomeState."""
    verification: str
    """`recovered: errors 0.1 %`; "" before it."""


def step_states(plan: Plan, runs: Sequence[StepRun], *, over: bool) -> Iterator[StepState]:
    """One for each step. `over`: what has not begun will not run."""
    by_step = {run.step: run for run in runs}
    for step in range(1, len(plan.parts) + 1):
        run = by_step.get(step)
        yield _state_of(run) if run is not None else StepState.NOT_RUN if over else StepState.WAITING


def _state_of(run: StepRun) -> StepState:
    verdict = run.verification.partition(": ")[0]
    if verdict in set(VerificationState):
        return StepState(verdict)
    if run.state == OutcomeState.DONE:
        return StepState.RAN
    return StepState.RUNNING if run.state == ATTEMPT_STARTED else StepState(run.state)
