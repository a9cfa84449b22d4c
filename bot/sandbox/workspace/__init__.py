"""An honest stand-in for Slack: its Web API, its deliveries and its refusals, kept in memory."""
