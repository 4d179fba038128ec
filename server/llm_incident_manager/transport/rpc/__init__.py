"""gRPC: the server, its limits, and the bridge from its four call shapes to the dispatcher."""
