"""What a replay adds up to: every line has exactly one disposition, and their sum is the number of lines sent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_incident_client import pb

DISPOSITIONS = tuple(name.removeprefix("DISPOSITION_").lower() for name, number in pb.Disposition.items() if number)
_NAMES = {number: name.removeprefix("DISPOSITION_").lower() for name, number in pb.Disposition.items()}


@dataclass
class Tally:
    """Counts results as they come. `complaints` gets a sentence for each line that was not accepted, up to a limit."""

    dispositions: Counter[str] = field(default_factory=Counter)
    incidents: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    most_complaints: int = 20

    @property
    def sent(self) -> int:
        """How many lines have their disposition."""
        return self.dispositions.total()

    def take(self, numbers: Sequence[int], results: Sequence[pb.EventResult]) -> None:
        """The results of the lines with these numbers."""
        for number, result in zip(numbers, results, strict=True):
            self.dispositions[_NAMES[result.disposition]] += 1
            if result.incident_id:
                self.incidents.add(result.incident_id)
            for violation in result.violations:
                self._complain(number, f"{violation.field}: {violation.message}")

    def refuse(self, number: int, why: str) -> None:
        """A line that could not even be sent."""
        self.dispositions["rejected"] += 1
        self._complain(number, why)

    def _complain(self, number: int, why: str) -> None:
        if len(self.complaints) < self.most_complaints:
            self.complaints.append(f"line {number}: {why}")

    def counts(self) -> dict[str, int]:
        """Every disposition with its count, zero or not."""
        return {name: self.dispositions[name] for name in DISPOSITIONS}

    def summary(self, seconds: float) -> dict[str, Any]:
        """Everything it adds up to, for programs."""
        return {
            "sent": self.sent,
            "dispositions": self.counts(),
            "incidents": len(self.incidents),
            "seconds": round(seconds, 3),
            "rate": round(self.sent / seconds, 1) if seconds else 0.0,
        }
