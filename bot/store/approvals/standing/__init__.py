"""Standing approvals as rows: what was granted, what it lets start, and what ends it."""
