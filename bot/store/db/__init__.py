"""The database itself: connection, transactions, column types, the queue for SQLite's one writer."""
