"""Small real services that answer what the manager asks of Sentinel, Shield and Governance: deterministic, to be read
and replaced. `python -m examples.reference_services` starts all three and prints the settings that go with them."""
