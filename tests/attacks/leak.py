"""Questions for the bot's own instructions."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import answer_stands, twin

KIND = Kind("leak", (), twin("leak", answer_stands))
