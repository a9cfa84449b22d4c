"""What several actions share: the one way out, systems as they are changed, signals, tickets, workloads."""
