"""Questions in plain language: matched with what was recorded, and answered from it."""
