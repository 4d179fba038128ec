"""The effects: what is done to the outside, from the outbox, at least once, idempotent by key."""
