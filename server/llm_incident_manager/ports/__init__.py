"""What the core needs from outside, as Protocols. Nothing here does anything."""
