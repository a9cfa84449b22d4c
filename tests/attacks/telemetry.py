"""False causes and false all-clears in what services write: they are not believed because they are written."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import answer_stands, twin

KIND = Kind("telemetry", (), twin("telemetry", answer_stands))
