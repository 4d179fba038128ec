"""What a person or a client asks for. Knows ports and rules, no transport."""
