"""What /metrics shows."""

from prometheus_client import Counter, Gauge

# The label is called "door" in the dashboards and rules of those who scrape it.
REQUESTS = Counter("bot_webhook_requests", "Webhook requests by endpoint, source and status", ["door", "source", "status"])
ALERTS = Counter("bot_alerts_accepted", "Alerts committed, by source", ["source"])
CHANGES = Counter("bot_changes_accepted", "Changes committed, by source", ["source"])
REJECTED = Counter("bot_items_rejected", "Items of otherwise readable bodies that were set aside, by source", ["source"])
LEFT_OUT = Counter("bot_alerts_left_out", "Alerts that a source left out of its deliveries, by source", ["source"])
IGNORED = Counter("bot_events_ignored", "Events that are neither an alert nor a change, by source", ["source"])
CLOSED = Counter("bot_connections_closed", "Connections closed for what they sent or did not send", ["why"])
ERRORS = Counter("bot_web_errors", "Requests that failed with an error id")

# Set when they are read. Not a number: the database did not answer, which is no zero.
UP = Gauge("bot_check_up", "Whether a part of this process does its work, as /readyz says", ["check"])
LEADS = Gauge("bot_leads", "Whether this process sends messages and ticks; with replicas, one of them does")
UNSORTED = Gauge("bot_unsorted_alerts", "Alerts that were acknowledged and are in no group yet")
UNSENT = Gauge("bot_unsent_messages", "Messages whose newest state does not stand in Slack yet")
UNSENT_SECONDS = Gauge("bot_oldest_unsent_message_seconds", "How long the oldest of them waits")
OPEN = Gauge("bot_open_incidents", "Incidents that are not resolved")

MESSAGES = Counter("bot_messages_total", "Messages posted or edited in Slack", ["channel", "kind", "edit"])
PRUNED = Counter("bot_pruned_rows_total", "Rows deleted because they are older than `retention` says", ["table"])


def count_pruned(table: str, rows: int) -> None:
    """So many rows of a table were deleted."""
    PRUNED.labels(table).inc(rows)


def count_message(channel: str, kind: str, edit: bool) -> None:
    """A message was posted, or edited."""
    MESSAGES.labels(channel, kind, "yes" if edit else "no").inc()
