"""The trial: drawn outages, back to back and overlapping, and whether Slack told each of them at once and rightly."""
