"""The audit trail on the command line: checked in the database, exported signed, and checked without a database."""
