"""Bidirectional, invisible, look-alike and control characters."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import line_is_kept, twin

KIND = Kind("unicode", (), twin("unicode", line_is_kept))
