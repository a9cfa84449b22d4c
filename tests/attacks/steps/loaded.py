"""Imported once for all processes of all worlds: what a bot and Slack's stand-in import at their start."""

import importlib

from bot.plugins import Command, Source, Tool, discover, discover_actions

MODULES = ("tests.attacks.steps.process", "bot.sandbox.__main__", "bot.llm.agent", "matplotlib.figure", "matplotlib.dates")

for module in MODULES:
    importlib.import_module(module)
for package, kind in (("bot.commands", Command), ("bot.sources", Source), ("tools", Tool)):
    discover([package], kind)
discover_actions(["bot.actions"])
