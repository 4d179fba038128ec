"""Directives: what the manager tells an agent to do for a while. Applied at most once, reverted in time, remembered."""
