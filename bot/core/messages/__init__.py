"""Messages in Slack as data: what each kind of message and each private reply shows."""
