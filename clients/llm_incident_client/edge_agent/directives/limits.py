"""How far an agent goes with directives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """`longest` is the highest ttl in seconds that is obeyed; `patience` what one step of a plug-in may take;
    `again_after` when a revert that failed is tried again."""

    longest: float = 86_400.0
    patience: float = 30.0
    again_after: float = 5.0
