"""Secrets, personal data and names taken out of text before it is stored, shown or sent to a model."""
