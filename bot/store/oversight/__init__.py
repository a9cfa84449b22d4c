"""What the periodic checks read: pages to send, and things that should have happened and did not."""
