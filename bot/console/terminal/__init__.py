"""What a terminal shows: Slack's markup as plain words, and texts of others that cannot steer it."""
