"""Stand-ins for the servers of model providers: each refuses what its provider refuses, and wants back what it sealed."""
