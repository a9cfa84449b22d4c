"""Questions in plain language: parsed, matched with what was recorded, and answered from it."""
