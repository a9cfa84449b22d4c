"""HTTP: webhooks for alerts and changes, health, metrics and the read-only API."""
