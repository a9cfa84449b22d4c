"""Alerts as rows: committed by intake, sorted into episodes and groups, read by tools and the API."""
