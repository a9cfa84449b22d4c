"""Create an issue in the service's project. API: https://developer.atlassian.com/server/jira/platform/rest/ (version 2)"""

from typing import ClassVar
from urllib.parse import quote

from bot.actions.support.remote import JsonObject, called, objects_at, outcome_of, text_at
from bot.actions.support.tickets import Ticket
from bot.core.action import DryRun, Outcome, OutcomeState
from bot.core.errors import ActionFailed
from bot.plugins import ActionContext, ActionOptions, action

API = "/rest/api/2"


class TicketOptions(ActionOptions):
    issue_type: str = ""


@action
class JiraIssue(Ticket):
    """Create an issue of the incident in the service's project in Jira.

    Helps nobody tonight; what has to be done later is not forgotten.
    """

    version: ClassVar[str] = "1"
    options_type: ClassVar[type[ActionOptions]] = TicketOptions
    tracker: ClassVar[tuple[str, str]] = ("jira", "Jira")

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Title, text and kind. Raises ActionFailed if the project cannot be read."""
        project = self.project(ctx)
        await self.system(ctx).read(f"{API}/project/{quote(project, safe='')}")
        text = f"{_kind(ctx)} in {project}: {self.headline(ctx)}\n{self.body(ctx, marked=False)}"
        return DryRun(ok=True, text=text, targets={project: ""})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        fields = {
            "project": {"key": self.project(ctx)},
            "issuetype": {"name": _kind(ctx)},
            "summary": self.headline(ctx),
            "description": self.body(ctx, marked=True),
        }
        answer = await self.system(ctx).write("POST", f"{API}/issue", {"fields": fields}, key=ctx.idempotency_key)
        key = text_at(answer.json, "key")
        return outcome_of("Jira", answer, f"{key} is created.", remote_id=key)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the project's newest issues for the key of this run. The index may lag: a missing one proves nothing."""
        query = f'project = "{self.project(ctx)}" ORDER BY created DESC'
        try:
            page = await self.system(ctx).read(f"{API}/search", jql=query, fields="description", maxResults="50")
        except ActionFailed:
            return None
        rows = objects_at(page, "issues")
        key = next((text_at(r, "key") for r in rows if ctx.idempotency_key in str(r.get("fields"))), "")
        return Outcome(state=OutcomeState.DONE, text=f"{key} is created.", remote_id=key) if key else None

    async def find(self, ctx: ActionContext) -> JsonObject | None:
        """The issue of this key."""
        return await self.system(ctx).find(f"{API}/issue/{quote(ctx.remote_id, safe='')}", fields="status")


def _kind(ctx: ActionContext) -> str:
    return str(ctx.config.options.get("issue_type", "Task"))
