"""Decisions: values and `now` in, a decision with its reason out. Pure, so that each can be replayed and explained."""
