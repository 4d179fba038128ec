"""Everything that talks to the world. Each adapter implements ports and knows nothing above them."""
