"""A question as text: its spelling and form, what it is about, the changes it means, and whether each word was read."""
