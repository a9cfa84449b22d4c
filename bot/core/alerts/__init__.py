"""Alerts: what kind they are, which are muted, which belong together, where a storm comes from."""
