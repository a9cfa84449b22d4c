"""The sandbox: a stand-in for Slack and a shop of services that break, in a process of its own."""
