"""Where an investigation starts and what it lacks: first facts, first queries, missing access."""
