"""The shop: services, traffic, deploys, logs and faults, behind Prometheus' and other systems' APIs."""
