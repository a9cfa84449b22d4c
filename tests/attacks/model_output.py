"""Answers of a broken model: unknown tools, no JSON, invented evidence, nothing at all."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import answer_stands, twin

KIND = Kind("model_output", (), twin("model_output", answer_stands))
