"""What is concluded of changes."""
