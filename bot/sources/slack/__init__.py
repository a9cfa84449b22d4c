"""Slack as a source: what other bots post in a channel, and how their messages are read."""
