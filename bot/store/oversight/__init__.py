"""What the periodic checks read and apply: pages to send, what should have happened and did not, quiet groups, the clock."""
