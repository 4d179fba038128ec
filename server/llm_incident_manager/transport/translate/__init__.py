"""Between protobuf and domain, both ways. Nothing else converts."""
