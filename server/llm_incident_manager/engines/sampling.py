"""Decides which events of an incident keep their whole body: the first ones, then ever rarer. Keeps nothing itself."""

FIRST = 20
"""So many bodies are kept from the start of an incident."""


def keeps_body(n: int) -> bool:
    """Whether the n-th event of an incident (from 1) keeps its body: the first 20, then each power of two.

    An incident of a million events thus keeps 35 bodies. Raises ValueError below 1.
    """
    if n < 1:
        raise ValueError(f"events of an incident are counted from 1, not {n}")
    return n <= FIRST or n & (n - 1) == 0
