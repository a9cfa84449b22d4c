"""Adapters to monitoring systems: one bounded HTTP client, and a reader for each system."""
