"""All kinds of fault by name; add a file beside this one and name its class here."""

from collections.abc import Mapping

from bot.sandbox.scenarios.bad_config import BadConfig
from bot.sandbox.scenarios.bad_deploy import BadDeploy
from bot.sandbox.scenarios.base import Fault
from bot.sandbox.scenarios.flag_flip import FlagFlip
from bot.sandbox.scenarios.memory_leak import MemoryLeak
from bot.sandbox.scenarios.poisoned_deploy import PoisonedDeploy
from bot.sandbox.scenarios.pool_exhaustion import PoolExhaustion
from bot.sandbox.scenarios.provider_outage import ProviderOutage
from bot.sandbox.scenarios.slow_dependency import SlowDependency
from bot.sandbox.scenarios.traffic_surge import TrafficSurge

_KINDS: tuple[type[Fault], ...] = (
    BadDeploy,
    SlowDependency,
    PoolExhaustion,
    FlagFlip,
    ProviderOutage,
    PoisonedDeploy,
    MemoryLeak,
    BadConfig,
    TrafficSurge,
)
FAULTS: Mapping[str, type[Fault]] = {kind.name: kind for kind in _KINDS}


def fault_of_seed(seed: int) -> type[Fault]:
    """Seed 1 is a bad deploy; nine seeds in a row meet every kind."""
    return _KINDS[(seed - 1) % len(_KINDS)]
