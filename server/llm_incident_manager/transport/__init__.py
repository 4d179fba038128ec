"""The doors: gRPC and REST run the same handlers through the same chain. Protobuf stops here."""
