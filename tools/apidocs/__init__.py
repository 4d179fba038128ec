"""Writes what is told about the contract: the data the server describes itself with, and the reference in docs/."""
