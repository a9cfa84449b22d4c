"""The player of approval attacks in formal steps: each item and its twin in a fresh world of real bots and Slack's stand-in."""
