"""The durable engine: workflows on DBOS, on SQLite alone or on PostgreSQL with replicas; and one without a journal."""
