"""Which tests share a worker of pytest-xdist: a lane has its own servers, and lanes wait more than they compute."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

LANES = {
    "test_crash.py": "matrix",
    "test_real_kills.py": "replicas",
    "test_replicas.py": "replicas",
    "test_incident.py": "incident",
}
OTHERS = "others"
COUNT = len({*LANES.values(), OTHERS})


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    """Hands each worker a whole lane. (`xdist_group` would say the same, but xdist 3.8 does not find it with pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return LANES.get(Path(nodeid.partition("::")[0]).name, OTHERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Whatever `--dist` says."""
    return Lanes(config, log)
