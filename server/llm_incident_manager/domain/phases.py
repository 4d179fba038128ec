"""The two halves of a change of the schema, between which two versions of the program run side by side."""

from enum import StrEnum


class Phase(StrEnum):
    """Which migrations are meant: those that may run beside servers of the version before, those that may not, both."""

    PRE = "pre"
    POST = "post"
    ALL = "all"
