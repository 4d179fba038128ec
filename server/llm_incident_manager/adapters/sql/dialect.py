"""How SQLite and PostgreSQL spell the same condition and store the same value. Constant templates; knows no filter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llm_incident_manager.domain.filter_fields import Type

Value = str | int | float | bytes | bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """Templates take columns, placeholders and conditions made here, never a caller's text.

    `collated` orders text by code points, `folded` lowers ASCII letters: what Python's comparison and `fold` do.
    """

    placeholder: str
    casts: Mapping[Type, str]
    pack: Mapping[Type, Callable[[str | int | float], Value]]
    collated: str
    folded: str
    contains: str
    starts: str
    ends: str
    any_item: str
    label: str
    any_label: str

    def bound(self, number: int, type_: Type) -> str:
        """The placeholder of the n-th parameter (from 1), with its type where the database wants to know it."""
        return self.placeholder.format(number, self.casts.get(type_, "text"))


def uuid_bytes(text: str | float) -> bytes:
    """The 16 bytes of an id."""
    return bytes.fromhex(str(text).replace("-", ""))


_BOTH: Mapping[Type, Callable[[str | int | float], Value]] = {
    Type.TEXT: str,
    Type.LABELS: str,
    Type.LIST: str,
    Type.STATE: str,
    Type.INCIDENT_TYPE: str,
    Type.INTEGER: int,
    Type.TIME: int,
    Type.DURATION: int,
    Type.SEVERITY: int,
    Type.NUMBER: float,
}

SQLITE = Dialect(
    placeholder="?{0}",
    casts={},
    pack={**_BOTH, Type.ID: uuid_bytes, Type.BOOLEAN: int},
    collated="{0}",
    folded="lower({0})",
    contains="instr({0}, {1}) > 0",
    starts="substr({0}, 1, length({1})) = {1}",
    ends="substr({0}, -length({1})) = {1}",
    any_item="EXISTS (SELECT 1 FROM json_each({0}) AS item WHERE {1})",
    label="(SELECT item.value FROM json_each({0}) AS item WHERE item.key = {1})",
    any_label="EXISTS (SELECT 1 FROM json_each({0}))",
)

POSTGRES = Dialect(
    placeholder="${0}::{1}",
    casts={
        Type.ID: "uuid",
        Type.INTEGER: "bigint",
        Type.TIME: "bigint",
        Type.DURATION: "bigint",
        Type.SEVERITY: "smallint",
        Type.NUMBER: "double precision",
        Type.BOOLEAN: "boolean",
    },
    pack={**_BOTH, Type.ID: str, Type.BOOLEAN: bool},
    collated='{0} COLLATE "C"',
    folded='lower({0} COLLATE "C")',
    contains="strpos({0}, {1}) > 0",
    starts="starts_with({0}, {1})",
    ends="right({0}, length({1})) = {1}",
    any_item="EXISTS (SELECT 1 FROM jsonb_array_elements_text({0}) AS item (value) WHERE {1})",
    label="({0} ->> {1})",
    any_label="{0} <> '{{}}'::jsonb",
)
