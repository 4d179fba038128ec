"""How SQLite and PostgreSQL spell the same condition and store the same value. Constant templates; knows no filter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llm_incident_manager.domain.filter_fields import Type
from llm_incident_manager.domain.search import Words

Value = str | int | float | bytes | bool | list[str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Templates take columns, placeholders and conditions made here, never a caller's text.

    `collated` orders text by code points, `folded` lowers ASCII letters: what Python's comparison and `fold` do.
    `numbered` orders numbers of incidents as `domain.numbers.sort_key` does. `among` tests for one of the ids that
    `pack_ids` makes one parameter of. `found` are the incidents of a tenant ({1}) with the words ({0}), to be read in
    the order of `found_order`, `found_behind` those of them behind an id, and `found_one` tests a row of a table ({1}).
    `vocabulary` are the words from one ({0}) up to another ({1}), at most so many ({2}); it is empty where the database
    needs no help with words of which only the start is known. `along` names the index ({0}) of a table in FROM, where
    that may be said. `reorders`: the database itself knows best where a join begins.
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
    numbered: str
    id_text: str
    among: str
    pack_ids: Callable[[Sequence[str]], Value]
    pack_words: Callable[[Words], str]
    found: str
    found_order: str
    found_behind: str
    found_one: str
    vocabulary: str
    along: str
    reorders: bool

    def bound(self, number: int, type_: Type) -> str:
        """The placeholder of the n-th parameter (from 1), with its type where the database wants to know it."""
        return self.placeholder.format(number, self.casts.get(type_, "text"))


def uuid_bytes(text: str | float) -> bytes:
    """The 16 bytes of an id."""
    return bytes.fromhex(str(text).replace("-", ""))


def _hex_list(ids: Sequence[str]) -> str:
    """Ids as the JSON that SQLite reads rows from."""
    return '["' + '","'.join(ids) + '"]' if ids else "[]"


def _fts(words: Words) -> str:
    """A query of FTS5. Words are letters and digits, so nothing in them needs care but being quoted."""
    start = [f'"{words.start}"*'] if words.start else []
    if words.begun:
        start = ["(" + " OR ".join(f'"{word}"' for word in words.begun) + ")"]
    return " AND ".join([*(f'"{word}"' for word in words.all_of), *start])


def _tsquery(words: Words) -> str:
    """A tsquery, in the same way."""
    start = [f"'{words.start}':*"] if words.start else []
    return " & ".join([*(f"'{word}'" for word in words.all_of), *start])


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
    numbered=(
        "(substr({0}, 1, 13) || "
        "CASE WHEN length({0}) > 13 THEN substr('0000000000' || substr({0}, 14), -10) ELSE '' END)"
    ),
    id_text="hex(id)",
    among="{0} IN (SELECT unhex(one.value, '-') FROM json_each({1}) AS one)",
    pack_ids=_hex_list,
    pack_words=_fts,
    found=(
        "SELECT w.rowid AS place, d.incident_id AS term_id FROM incident_words AS w "
        "CROSS JOIN incident_document AS d ON d.place = w.rowid WHERE incident_words MATCH {0} AND d.tenant = {1}"
    ),
    found_order="place",
    found_behind=(
        " AND w.rowid < coalesce((SELECT b.place FROM incident_document AS b WHERE b.incident_id = {0}), 1 << 62)"
    ),
    found_one=(
        "EXISTS (SELECT 1 FROM incident_document AS d CROSS JOIN incident_words AS w ON w.rowid = d.place "
        "WHERE d.incident_id = {1}.id AND incident_words MATCH {0})"
    ),
    vocabulary="SELECT term FROM temp.incident_vocabulary WHERE term >= {0} AND term < {1} LIMIT {2}",
    along=" INDEXED BY {0}",
    reorders=False,
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
    numbered=(
        "(left({0}, 13) || "
        "CASE WHEN length({0}) > 13 THEN right('0000000000' || substr({0}, 14), 10) ELSE '' END) COLLATE \"C\""
    ),
    id_text="id",
    among="{0} = ANY({1}::uuid[])",
    pack_ids=list,
    pack_words=_tsquery,
    found=(
        "SELECT d.incident_id AS term_id FROM incident_document AS d WHERE d.words @@ {0}::tsquery AND d.tenant = {1}"
    ),
    found_order="term_id",
    found_behind=" AND d.incident_id < {0}",
    found_one=(
        "EXISTS (SELECT 1 FROM incident_document AS d WHERE d.incident_id = {1}.id AND d.words @@ {0}::tsquery)"
    ),
    vocabulary="",
    along="",
    reorders=True,
)
