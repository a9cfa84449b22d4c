"""What Slack shows and sends: messages that are due, the state behind each message, interactions already handled."""
