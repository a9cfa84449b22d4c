"""Infrastructure as it reports itself: workloads of a cluster, and the health of databases."""
