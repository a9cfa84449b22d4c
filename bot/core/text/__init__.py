"""Text: untrusted text made harmless; measured values, moments and durations in words; safe patterns and addresses."""
