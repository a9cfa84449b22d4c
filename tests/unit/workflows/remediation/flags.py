"""A service with a feature flag that an action switches and whoever likes switches by hand."""

import json
from pathlib import Path
from typing import Any

from bot.actions.feature_flag import FeatureFlag
from bot.plugins import HttpAnswer
from bot.store.tables import ChangeRow
from tests.unit.approvals_fixture import CONFIG, VERIFY, ApprovalsFixture, RecordedHttp, open_approvals

ENTRY: dict[str, Any] = {
    "kind": "feature_flag", "url": "http://jobs.example/flag", "body": {"flag": "{flag}", "value": "{value}"},
    "helps": ["change"], "change_kinds": ["flag"], "verify": VERIFY,
    "options": {"flags": ["pricing"], "ofrep": "http://flags.example"},
}  # fmt: skip


class FlagServer(RecordedHttp):
    """Reads and switches the one flag."""

    def __init__(self) -> None:
        super().__init__()
        self.value = True

    async def send(self, method: str, url: str, **more: Any) -> HttpAnswer:
        if "ofrep" in url:
            return HttpAnswer(200, json.dumps({"value": self.value}), {"value": self.value})
        answer = await super().send(method, url, **more)
        self.value = more["json"]["value"] == "true"
        return answer


async def open_flags(path: Path, **config: Any) -> tuple[ApprovalsFixture, FlagServer]:
    """Approvals with the action `flag`; the flag was switched on by the change `ci:1`."""
    fixture = await open_approvals(path, {"actions": {**CONFIG["actions"], "flag": ENTRY}, **config})
    server = FlagServer()
    fixture.http = fixture.executor.http = server
    fixture.executor.actions = {**fixture.executor.actions, "feature_flag": FeatureFlag}
    async with fixture.db.write() as session:
        moments = {"at": fixture.now, "received_at": fixture.now}
        versions = {"version": "on", "previous_version": "off"}
        session.add(ChangeRow(id="ci:1", service="checkout", kind="flag", title="pricing", source="ci", **moments, **versions))
    return fixture, server
