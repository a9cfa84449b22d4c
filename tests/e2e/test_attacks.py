"""Own attacks in formal steps against real bots; `python -m tests.attacks approval_steps --data DIR` plays all of a folder."""

import asyncio
import sys
from pathlib import Path

import pytest

VARIANTS = Path(__file__).parents[1] / "attacks" / "variants"


@pytest.mark.timeout(3600)
async def test_every_own_attack_on_approvals_is_refused_and_its_legitimate_twin_runs() -> None:
    command = [sys.executable, "-m", "tests.attacks", "approval_steps", "--data", str(VARIANTS)]
    playing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = (await playing.communicate())[0].decode()

    assert playing.returncode == 0, printed
    assert "false refusals 0 /" in printed
