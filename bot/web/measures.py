"""What /metrics shows of the web's own work."""

from prometheus_client import Counter

# The label is called "door" in the dashboards and rules of those who scrape it.
REQUESTS = Counter("bot_webhook_requests", "Webhook requests by endpoint, source and status", ["door", "source", "status"])
ALERTS = Counter("bot_alerts_accepted", "Alerts committed, by source", ["source"])
CHANGES = Counter("bot_changes_accepted", "Changes committed, by source", ["source"])
REJECTED = Counter("bot_items_rejected", "Items of otherwise readable bodies that were set aside, by source", ["source"])
IGNORED = Counter("bot_events_ignored", "Events that are neither an alert nor a change, by source", ["source"])
ERRORS = Counter("bot_web_errors", "Requests that failed with an error id")
