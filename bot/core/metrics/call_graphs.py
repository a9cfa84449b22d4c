"""Metrics that name both ends of a call, as tracers and meshes export them."""

CALL_GRAPHS = (
    ("traces_service_graph_request_total", "client", "server"),  # Tempo, OpenTelemetry collector
    ("istio_requests_total", "source_canonical_service", "destination_canonical_service"),
    ("rpc_client_requests_total", "service", "peer"),
)
"""The metric, the label of the caller, the label of the callee."""
