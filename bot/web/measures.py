"""What the web counts for /metrics."""

from prometheus_client import Counter

REQUESTS = Counter("tocsin_webhook_requests_total", "Webhook requests by door, source and status", ["door", "source", "status"])
ALERTS = Counter("tocsin_alerts_accepted_total", "Alerts committed, by source", ["source"])
CHANGES = Counter("tocsin_changes_accepted_total", "Changes committed, by source", ["source"])
REJECTED = Counter("tocsin_items_rejected_total", "Items of otherwise readable bodies that were set aside", ["source"])
ERRORS = Counter("tocsin_web_errors_total", "Requests that failed with an error id")
