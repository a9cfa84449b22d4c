"""Create an issue in the service's project. API: https://developer.atlassian.com/server/jira/platform/rest/ (version 2)"""

from typing import ClassVar
from urllib.parse import quote

from bot.actions._remote import RemoteSystem, called, objects_at, outcome_of, text_at
from bot.actions._tickets import Ticket
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.plugins import ActionContext, action

API = "/rest/api/2"


@action
class JiraIssue(Ticket):
    """Create an issue of the incident in the service's project in Jira.

    Helps nobody tonight; what has to be done later is not forgotten.
    """

    version: ClassVar[str] = "1"
    floor: ClassVar[Tier] = Tier.ONE

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """1: it is seen by others, and can be closed."""
        return Tier.ONE

    def undo_text(self) -> str:
        """An issue is closed by hand."""
        return "closing the issue by hand"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The project's key."""
        return (_jira(ctx).name_of(self.service),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The one step."""
        return [f"create an issue in {self.targets(ctx)[0]}"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Title, text and kind. Raises ActionFailed if the project cannot be read."""
        project = self.targets(ctx)[0]
        await _jira(ctx).read(f"{API}/project/{quote(project, safe='')}")
        text = f"{_kind(ctx)} in {project}: {self.headline(ctx)}\n{self.body(ctx, marked=False)}"
        return DryRun(ok=True, text=text, targets={project: ""})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        fields = {
            "project": {"key": self.targets(ctx)[0]},
            "issuetype": {"name": _kind(ctx)},
            "summary": self.headline(ctx),
            "description": self.body(ctx, marked=True),
        }
        answer = await _jira(ctx).write("POST", f"{API}/issue", {"fields": fields}, key=ctx.idempotency_key)
        key = text_at(answer.json, "key")
        return outcome_of("Jira", answer, f"{key} is created.", remote_id=key)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the project's newest issues for the key of this run. Jira's index may lag: a missing one proves nothing."""
        query = f'project = "{self.targets(ctx)[0]}" ORDER BY created DESC'
        try:
            page = await _jira(ctx).read(f"{API}/search", jql=query, fields="description", maxResults="50")
        except ActionFailed:
            return None
        rows = objects_at(page, "issues")
        key = next((text_at(r, "key") for r in rows if ctx.idempotency_key in str(r.get("fields"))), "")
        return Outcome(state=OutcomeState.DONE, text=f"{key} is created.", remote_id=key) if key else None

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the issue is there."""
        try:
            issue = await _jira(ctx).find(f"{API}/issue/{quote(ctx.remote_id, safe='')}", fields="status")
        except ActionFailed as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        if issue is None:
            return Verification(state=VerificationState.NOT_RECOVERED, text=f"{ctx.remote_id} is not there")
        return Verification(state=VerificationState.RECOVERED, text=f"{ctx.remote_id} is there")


def _jira(ctx: ActionContext) -> RemoteSystem:
    return RemoteSystem(ctx, "jira", "Jira")


def _kind(ctx: ActionContext) -> str:
    return str(ctx.config.options.get("issue_type", "Task"))
