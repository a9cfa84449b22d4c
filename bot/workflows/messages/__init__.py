"""Messages: the sender that makes Slack show the newest state, its rate limits, graphs and their pictures."""
