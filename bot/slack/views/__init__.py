"""Cards and modals: one pure function from a message's state to Slack's blocks in each file."""
