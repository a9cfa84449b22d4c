"""A world under a clock that tests move by hand."""

from typing import Any

import numpy as np

from bot.sandbox.world.model import World
from bot.sandbox.world.promql.evaluate import Evaluator
from bot.sandbox.world.promql.parser import parse
from bot.sandbox.world.promql.values import Vector
from bot.sandbox.world.rules import Active

START = 1_795_561_000.3


class Clock:
    """Unix seconds that stand still until moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


def world(seed: int = 1, **options: Any) -> tuple[World, Clock]:
    """A world and its clock."""
    clock = Clock()
    # A short past keeps the tests quick; it is still longer than every window that rules look at.
    return World(seed, clock=clock, **{"history_hours": 1.0, **options}), clock


def ask(shop: World, query: str) -> dict[str, float]:
    """An instant query now: label values joined by a space -> value."""
    value = Evaluator(shop.metrics, np.asarray([shop.now()])).value(parse(query))
    assert isinstance(value, Vector)
    rows = zip(value.labels, value.values[:, 0], value.present[:, 0], strict=True)
    return {" ".join(labels.values()): float(number) for labels, number, here in rows if here}


def error_ratio(shop: World, service: str, by: str = "service", code: str = "5..") -> dict[str, float]:
    """Share of failing requests of one service, by a label."""
    bad = f'sum by ({by}) (rate(http_requests_total{{service="{service}",code=~"{code}"}}[15s]))'
    return ask(shop, f'{bad} / sum by ({by}) (rate(http_requests_total{{service="{service}"}}[15s]))')


def let_pass(shop: World, clock: Clock, seconds: float) -> list[Active]:
    """Move on, evaluate the rules three times at the end, and answer what fires."""
    clock.at += max(0.0, seconds - 6)
    firing: list[Active] = []
    for _ in range(3):
        clock.at += 2
        firing = shop.rules.evaluate(shop.now())
    return firing
