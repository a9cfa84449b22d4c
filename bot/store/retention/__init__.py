"""Retention: what is old enough is deleted in small batches; how much room each table takes."""
