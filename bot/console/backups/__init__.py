"""A copy of everything that a bot keeps, for either database, and how it is put back."""
