"""Plans of several actions: those that the team declared, and those that take the steps of one back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.core.action import Plan, Proposal
from bot.core.approvals import plans
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.workflows.remediation.executor import ActionExecutor

Planned = Callable[[str, str, Mapping[str, object]], Awaitable[Plan]]
"""(entry, service, arguments) -> one action with its dry run. Raises NotFound and ActionFailed."""


async def declared_plan(
    executor: ActionExecutor, name: str, service: str, arguments: Mapping[str, object], planned: Planned
) -> Plan:
    """All steps of a declared plan, each with its dry run. Raises NotFound and ActionFailed, which names the step."""
    plan = executor.config.plans[name]
    if plan.services and service not in plan.services:
        raise ActionFailed(f"{name} is for {', '.join(plan.services)} only.")
    if unused := [name for name in arguments if name != "change_id"]:
        text = f"{name} takes no {one_line(unused[0], 40)}=: its steps have their arguments from tocsin.yaml."
        raise ActionFailed(f"{text} Nothing was proposed.")
    parts = []
    for number, step in enumerate(plan.steps, 1):
        step_arguments = {**step.arguments, **_change_of(executor, step.action, arguments)}
        try:
            parts.append(await planned(step.action, service, step_arguments))
        except ActionFailed as error:
            raise ActionFailed(f"Step {number}, {step.action}: {error}") from error
    return executor.composed(plans.declared(name, plan, service), parts)


def _change_of(executor: ActionExecutor, entry: str, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """The change that the plan was proposed for, where this action takes one."""
    kind = executor.kind_of(entry)
    return arguments if kind is not None and "change_id" in kind.model_fields else {}


async def undo_plan(executor: ActionExecutor, proposal: Proposal, ran: Sequence[int], planned: Planned) -> Plan | None:
    """What undoes these steps of a plan, the last first; None if nothing does. Raises NotFound and ActionFailed."""
    undos = [await executor.undo_of(proposal, step) for step in sorted(ran, reverse=True)]
    parts = [await planned(entry, proposal.service, arguments) for entry, arguments in filter(None, undos)]
    if len(parts) > 1:
        return executor.composed(plans.undoing(proposal, proposal.ref), parts)
    return parts[0] if parts else None
