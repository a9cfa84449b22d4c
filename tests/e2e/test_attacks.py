"""Own attacks in formal steps against real bots; `python -m tests.attacks KIND --data DIR` plays all of a kind."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.attacks.steps.items import KINDS

VARIANTS = Path(__file__).parents[1] / "attacks" / "variants"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_own_attack_on_approvals_is_refused_and_its_legitimate_twin_runs(kind: str) -> None:
    command = [sys.executable, "-m", "tests.attacks", kind, "--data", str(VARIANTS)]
    playing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = (await playing.communicate())[0].decode()

    assert playing.returncode == 0, printed
    assert "false refusals 0 /" in printed
