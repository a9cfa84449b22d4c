"""An address that an action may not call is found before an incident."""

from typing import Any

from bot.actions.support.http import Outbound
from bot.console.configuration.action_addresses import AddressProblem, address_problems
from bot.settings import parse_config

ADDRESSES = {"jobs.example": "93.184.216.34", "jobs.internal": "10.0.0.7", "cart.jobs.internal": "10.0.0.8"}


async def resolve(host: str, port: int) -> list[str]:
    if host not in ADDRESSES:
        raise OSError("Name or service not known")
    return [ADDRESSES[host]]


async def problems(**actions: str) -> list[AddressProblem]:
    entries = "".join(f"  {name}: {{kind: run_webhook, {entry}}}\n" for name, entry in actions.items())
    config = parse_config(f"services: {{cart: {{}}}}\nactions:\n{entries}")
    return await address_problems(config, Outbound(resolve=resolve))


async def test_a_name_at_a_private_address_is_told_with_the_way_to_allow_it() -> None:
    (problem,) = await problems(rollback="url: 'http://jobs.internal/x'", forward="url: 'http://jobs.example/x'")

    assert (problem.entry, problem.forbidden) == ("rollback", True)
    assert problem.text == "jobs.internal is at 10.0.0.7, a private address, and the entry does not set allow_private"


async def test_a_private_address_that_the_entry_allows_is_no_problem() -> None:
    assert await problems(rollback="url: 'http://jobs.internal/x', allow_private: true") == []


async def test_a_name_that_has_no_address_here_is_told_and_forbids_nothing() -> None:
    (problem,) = await problems(rollback="url: 'http://jobs.elsewhere/x'")

    assert not problem.forbidden and "jobs.elsewhere could not be resolved" in problem.text


async def test_the_address_is_tried_for_each_service_and_for_asking_whether_it_ran() -> None:
    found: list[Any] = await problems(
        rollback="url: 'http://{service}.jobs.internal/x', options: {probe_url: 'http://jobs.internal/{key}'}"
    )

    assert [problem.text.partition(",")[0] for problem in found] == [
        "cart.jobs.internal is at 10.0.0.8", "jobs.internal is at 10.0.0.7",
    ]  # fmt: skip
