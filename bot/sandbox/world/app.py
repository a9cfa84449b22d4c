"""The world's routes, to be mounted beside others or served alone."""

from starlette.routing import BaseRoute

from bot.sandbox.world.alertmanager_api import alertmanager_routes
from bot.sandbox.world.control import control_routes, job_routes
from bot.sandbox.world.life import Life
from bot.sandbox.world.loki_api import loki_routes
from bot.sandbox.world.model import World
from bot.sandbox.world.prometheus_api import prometheus_routes


def world_routes(world: World, life: Life | None = None) -> list[BaseRoute]:
    """Routes below `/world/` and `/_world/`; `POST /_world/start` begins the sending of alerts.

    Pass a `Life` to be able to stop it; without one the tasks end with the event loop.
    """
    life = life or Life(world)
    return [
        *prometheus_routes(world),
        *loki_routes(world),
        *alertmanager_routes(life),
        *job_routes(life),
        *control_routes(life),
    ]
