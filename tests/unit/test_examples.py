"""The examples in deploy/ do what they say, called as the product calls them."""

import importlib.util
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.actions.support.http import Outbound
from bot.settings import load_config

PLANS = Path(__file__).parents[2] / "deploy" / "examples" / "plans.yaml"
SCRIPT = Path(__file__).parents[2] / "deploy" / "examples" / "restart_unit.py"


@pytest.fixture
def restarts(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its address, and a file with a line for each restart."""
    spec = importlib.util.spec_from_file_location("restart_unit", SCRIPT)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    done, command = tmp_path / "done", tmp_path / "systemctl"
    command.write_text(f'#!/bin/sh\necho "$1" >> {done}\n')
    command.chmod(0o755)
    module.Restarts.secret, module.Restarts.units = b"secret", ("checkout.service",)
    module.Restarts.systemctl, module.Restarts.answers = (str(command),), {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), module.Restarts)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/restart", done
    server.shutdown()
    server.server_close()


async def call(url: str, unit: str = "checkout.service", key: str = "k1", secret: str = "secret") -> int:
    answer = await Outbound(secret).send("POST", url, json={"unit": unit}, key=key, allow_private=True)
    return answer.status


async def test_a_signed_request_restarts_a_listed_unit_once(restarts: tuple[str, Path]) -> None:
    url, done = restarts

    assert [await call(url), await call(url), await call(url, key="k2")] == [200, 200, 200]
    assert done.read_text().split() == ["checkout.service"] * 2


async def test_a_wrong_signature_another_unit_and_another_path_restart_nothing(restarts: tuple[str, Path]) -> None:
    url, done = restarts

    assert await call(url, secret="guessed") == 401
    assert await call(url, unit="sshd.service", key="k3") == 422
    assert await call(url.replace("/restart", "/stop")) == 404
    assert not done.exists()


def test_the_plan_of_the_example_is_one_that_starts() -> None:
    (plan,) = load_config(PLANS).plans.values()

    assert [step.action for step in plan.steps] == ["drain", "restart", "refill"]
