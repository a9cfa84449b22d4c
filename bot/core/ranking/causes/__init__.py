"""Causes other than changes: what ran out, traffic, providers, machines, what lines name, and where a burst began."""
