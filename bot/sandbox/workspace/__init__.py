"""A stand-in for Slack, in memory: its Web API, its deliveries and its errors."""
