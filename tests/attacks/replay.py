"""What was sent before, signed long ago or for somebody else: one alert stays one alert, and no proof is used twice."""

from tests.attacks.kinds import Kind
from tests.attacks.malformed import doubts
from tests.attacks.twins import is_shown, twin

KIND = Kind("replay", (doubts,), twin("replay", is_shown))
