"""Imported once for all bots of the kill matrix: what each would import at its start, on first use or for its model."""

import importlib

from bot.plugins import Command, Source, Tool, discover, discover_actions

MODULES = ("tests.crash.bot", "bot.llm.agent", "matplotlib.backends.backend_agg", "matplotlib.figure", "matplotlib.dates")

for module in MODULES:
    importlib.import_module(module)
for package, kind in (("bot.commands", Command), ("bot.sources", Source), ("tools", Tool)):
    discover([package], kind)
discover_actions(["bot.actions"])
