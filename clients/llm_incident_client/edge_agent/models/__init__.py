"""Models that an agent runs near the traffic at the manager's request."""
