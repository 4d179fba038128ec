"""Stored bytes of values: JSON by field name, so that a person can read them and a later version can add fields."""
