"""Start a workflow of GitHub Actions. API: https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event"""

from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from bot.actions.support.job_arguments import JobArguments
from bot.actions.support.remote import RemoteSystem, called, objects_at, outcome_of, text_at
from bot.actions.support.signal import read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.plugins import ActionContext, ActionOptions, action


class WorkflowOptions(ActionOptions):
    # YAML reads a workflow's id, which GitHub takes too, and a branch like 1.0 as numbers.
    workflow: str = Field(default="", coerce_numbers_to_str=True)
    ref: str = Field(default="", coerce_numbers_to_str=True)
    inputs: tuple[str, ...] = ()
    key_input: str = ""
    parameters: tuple[str, ...] = ()


@action
class GithubWorkflow(JobArguments):
    """Start the workflow that the entry names (`options.workflow`) with exact inputs, once.

    Helps as far as the workflow does. Does not tell whether its job went well: the entry's signal does.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    options_type: ClassVar[type[ActionOptions]] = WorkflowOptions

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """2; 3 without a signal that shows whether it helped."""
        return Tier.TWO if config.verify else Tier.THREE

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The service: what the workflow touches is its own affair."""
        return (self.service,)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The start, and what is watched."""
        github, workflow = self._system_and_workflow(ctx)
        return [f"start {workflow} of {github.name_of(self.service)} at {self._ref(ctx)}", "watch the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """The workflow's name and the inputs. Raises ActionFailed if there is none, or if it is switched off."""
        github, workflow = self._system_and_workflow(ctx)
        description = await github.read(self._path(ctx))
        if (state := text_at(description, "state")) != "active":
            raise ActionFailed(f"{workflow} is {state or 'of unknown state'} on GitHub.")
        inputs = "\n".join(f"{name}: {value}" for name, value in sorted(self._inputs(ctx, key=False).items()))
        text = (
            f"start {text_at(description, 'name')} ({workflow}) of {github.name_of(self.service)} at {self._ref(ctx)}\n{inputs}"
        )
        return DryRun(ok=True, text=text.strip(), targets={self.service: ""})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        github, workflow = self._system_and_workflow(ctx)
        body = {"ref": self._ref(ctx), "inputs": self._inputs(ctx, key=True)}
        answer = await github.write("POST", f"{self._path(ctx)}/dispatches", body, key=ctx.idempotency_key)
        return outcome_of("GitHub", answer, f"{workflow} was started.")

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the workflow's newest runs for the key of this run, which stands in their title where `options.key_input`
        names the input that `run-name` shows."""
        if not ctx.config.options.get("key_input"):
            return None
        try:
            github, _ = self._system_and_workflow(ctx)
            page = await github.read(f"{self._path(ctx)}/runs", event="workflow_dispatch", per_page="50")
        except ActionFailed:
            return None
        rows = objects_at(page, "workflow_runs")
        run = next((row for row in rows if ctx.idempotency_key in text_at(row, "display_title")), None)
        if run is None:
            # GitHub lists a run some seconds after it was asked for: that it is missing proves nothing.
            return None
        return Outcome(state=OutcomeState.DONE, text="GitHub lists the run.", remote_id=text_at(run, "id"))

    async def verify(self, ctx: ActionContext) -> Verification:
        """One reading of the entry's signal."""
        return await read_signal(ctx, self.service)

    def _system_and_workflow(self, ctx: ActionContext) -> tuple[RemoteSystem, str]:
        workflow = str(ctx.config.options.get("workflow", ""))
        if not workflow:
            raise ActionFailed(f"{ctx.entry} does not name its workflow (options.workflow, e.g. rollback.yml).")
        return RemoteSystem(ctx, "github", "GitHub"), workflow

    def _path(self, ctx: ActionContext) -> str:
        github, workflow = self._system_and_workflow(ctx)
        return f"/repos/{github.name_of(self.service)}/actions/workflows/{quote(workflow, safe='')}"

    def _ref(self, ctx: ActionContext) -> str:
        return str(ctx.config.options.get("ref", "main"))

    def _inputs(self, ctx: ActionContext, *, key: bool) -> dict[str, str]:
        """What the workflow is given: values that are known, and, for `probe`, the key of this run."""
        names = ctx.config.options.get("inputs", ("service", "version", "previous_version"))
        inputs = {name: self.values[name] for name in (*names, *self.parameters) if self.values.get(name)}
        marked = str(ctx.config.options.get("key_input", ""))
        return {**inputs, marked: ctx.idempotency_key} if key and marked else inputs
