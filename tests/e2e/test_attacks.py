"""A few step scripts against the whole bot; `python -m tests.attacks approval --data DIR` plays all of a folder."""

import asyncio
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "attacks" / "scripts"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("technique", ["tier3_no_owner", "digest_rewritten"])
async def test_an_attack_is_refused_and_its_legitimate_twin_runs(technique: str) -> None:
    command = [sys.executable, "-m", "tests.attacks", "approval", "--data", str(SCRIPTS), "--only", technique]
    playing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told = (await playing.communicate())[0].decode()

    assert playing.returncode == 0, told
    assert "passed 1 / 1" in told and "false refusals 0 / 1" in told
