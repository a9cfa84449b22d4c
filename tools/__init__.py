"""The agent's tools, one plugin a file: each makes read-only queries and answers with evidence."""
