"""Durable workflows of named steps, and the loops beside them: inbox, sender, ticks."""
