"""What is hidden in events and requests before they are stored, and in logs."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from llm_incident_manager.config.values import Section
from llm_incident_manager.domain.redaction import BadPattern, Shapes


class Redaction(Section):
    """Keys, tokens, PEM blocks, connection strings and webhook URLs are always hidden."""

    personal: bool = False
    """Hide personal data as well: e-mail addresses, telephone and social security numbers, payment cards."""
    patterns: Mapping[str, str] = Field(default_factory=dict)
    """More to hide: RE2 patterns by name, such as `employee: "E-[0-9]{6}"`; each match is hidden as a whole."""

    @field_validator("patterns")
    @classmethod
    def _accepted(cls, given: Mapping[str, str]) -> Mapping[str, str]:
        try:
            Shapes(custom=given)
        except BadPattern as wrong:
            raise ValueError(str(wrong)) from None
        return given

    def shapes(self) -> Shapes:
        """What the section says."""
        return Shapes(personal=self.personal, custom=self.patterns)
