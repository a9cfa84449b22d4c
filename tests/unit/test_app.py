"""The composition root: what the whole says of itself."""

from pathlib import Path

import httpx

from bot.app import App
from bot.core.config import Config
from bot.settings import Secrets


async def ready_of(folder: Path, **secrets: str) -> dict[str, str]:
    """What /readyz says of a bot that was built and not started."""
    app = App(Secrets.model_validate({"slack_bot_token": "xoxb-1", "data_dir": folder, **secrets}), Config())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://bot") as client:
        told: dict[str, str] = (await client.get("/readyz")).json()
    await app.db.close()
    return told


async def test_a_socket_that_does_not_stand_is_told_where_readiness_is_asked(tmp_path: Path) -> None:
    assert (await ready_of(tmp_path, slack_app_token="xapp-1"))["slack"] == "degraded"


async def test_in_http_mode_no_socket_is_missed(tmp_path: Path) -> None:
    assert (await ready_of(tmp_path, slack_signing_secret="s"))["slack"] == "ok"


async def test_a_source_that_never_sent_is_counted_with_zero(tmp_path: Path) -> None:
    config = Config.model_validate(
        {"sources": {"silent": {"kind": "alertmanager"}, "ci": {"kind": "generic", "takes": ["changes"]}}}
    )
    app = App(Secrets.model_validate({"slack_bot_token": "xoxb-1", "data_dir": tmp_path}), config)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://bot") as client:
        lines = (await client.get("/metrics")).text.splitlines()
    await app.db.close()

    assert {'bot_alerts_accepted_total{source="silent"} 0.0', 'bot_changes_accepted_total{source="ci"} 0.0'} <= set(lines)
    assert 'bot_webhook_requests_total{door="alerts",source="silent",status="401"} 0.0' in lines
    assert not any("alerts" in line and 'source="ci"' in line for line in lines)
