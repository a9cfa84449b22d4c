"""Orders in labels, logs, runbooks, commits and messages: a puppet that obeys all of them achieves nothing."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import answer_stands, twin

KIND = Kind("injection", (), twin("injection", answer_stands))
