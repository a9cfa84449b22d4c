"""Modules that are loaded when something of them is first used, numpy among them."""
