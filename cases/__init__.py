"""Runs the expectations of other systems, which lie beside the repository, against this one: `python -m cases FOLDER`.

A file holds cases of one format; `formats/` has a module for each, and says which door its cases go through: a real
server wherever a case can be put to one, otherwise the documented function that does the work. `deviations.py` is the
one place that says where we differ on purpose. Nothing here is installed or shipped.
"""
