"""Pagers: PagerDuty, and any webhook."""
