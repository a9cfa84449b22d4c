"""Slack: Bolt listeners, the rendering of messages and modals, and the client that the sender uses."""
