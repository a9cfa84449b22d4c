"""Text and figures: untrusted text made harmless, measured values in words, safe patterns and addresses."""
