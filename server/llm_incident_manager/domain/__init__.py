"""Values and rules of incident management. No I/O, no clock, no protobuf: whatever happens here can be replayed."""
