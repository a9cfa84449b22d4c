"""Markup, mentions and links in foreign text: letters, nothing else."""

from tests.attacks.kinds import Kind
from tests.attacks.twins import link_is_live, twin

KIND = Kind("render", (), twin("render", link_is_live))
