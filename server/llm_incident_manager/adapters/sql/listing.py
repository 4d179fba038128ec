"""How a list and a count of incidents are found, as steps: each yields a statement, gets its rows, and decides on.

`incident_index` follows the change feed a moment behind. What it has not followed yet is few: those incidents are
looked up in the table itself, so that no list misses or misjudges what was committed before it. Runs no statement.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from llm_incident_manager.adapters.sql import filters, indexed
from llm_incident_manager.adapters.sql.dialect import Dialect
from llm_incident_manager.adapters.sql.filters import Clause, Writer
from llm_incident_manager.domain.filter_fields import Type
from llm_incident_manager.domain.filter_tree import Node
from llm_incident_manager.ports.stores import Count, IncidentQuery

T = TypeVar("T")
Rows = Sequence[Sequence[Any]]
Steps = Generator[Clause, Rows, T]

MOST_STALE = 5_000
"""With more incidents than this to look up, because the copy has fallen behind, the table is asked about all."""

_RARE = 2_000
"""A term of at most so many incidents is gathered at once; of more, it is looked up or followed row by row."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The steps in one dialect. `select` reads whole incidents; `stale` takes a tenant and a number of ids."""

    dialect: Dialect
    select: str
    stale: str

    def page(self, query: IncidentQuery) -> Steps[Rows]:
        """The rows of one page. Raises ValueError when `after` does not fit the order."""
        part = indexed.part_of(query.filter)
        stale = (yield from self._stale(query)) if part.helps and indexed.sorts(query.order) else None
        if stale is None:
            clause = filters.page(query, self.dialect)
            return (yield Clause(f"{self.select} {clause.text}", clause.parameters))
        # What is stale may stand anywhere, so places can be skipped only once it is in.
        first = replace(query, limit=query.limit + query.offset, offset=0) if stale else query
        frequent = yield from self._frequent(query, part)
        found = yield self._ids(first, part, stale, frequent)
        wanted = [str(row[0]) for row in found]
        if not wanted and not stale:
            return ()
        return (yield self._rows(query if stale else replace(query, offset=0), [*wanted, *stale]))

    def count(self, query: IncidentQuery, most: int | None = None) -> Steps[Count]:
        """How many match; what would take looking at more than `most` of them is told as "at least"."""
        part = indexed.part_of(query.filter)
        stale = (yield from self._stale(query)) if part.helps else None
        if stale is None:
            writer = Writer(self.dialect)
            rows = yield self._counted(writer, f"SELECT 1 FROM incident WHERE {filters.matching(query, writer)}", most)
        elif part.exact and part.counted and query.created_from is None and query.created_before is None:
            return Count(int((yield self._sum(query, stale))[0][0]))
        else:
            frequent = yield from self._frequent(query, part)
            rows = yield self._count(query, part, stale, frequent, most)
        total = int(rows[0][0])
        return Count(most, at_least=True) if most is not None and total > most else Count(total)

    def _stale(self, query: IncidentQuery) -> Steps[list[str] | None]:
        """Incidents that changed since the copy came by; None when they are too many."""
        rows = yield Clause(self.stale, (query.tenant, MOST_STALE + 1))
        return [str(row[0]) for row in rows] if len(rows) <= MOST_STALE else None

    def _frequent(self, query: IncidentQuery, part: indexed.Part) -> Steps[frozenset[Node]]:
        """The terms that all matches have and many others, too."""
        found: set[Node] = set()
        for node in indexed.required(part.node):
            if indexed.terms(node):
                writer = Writer(self.dialect)
                writer.terms_of = query.tenant
                rows = f"SELECT 1 FROM incident_term AS t WHERE {writer.term(node)}"
                ((rows_of_term,),) = yield self._counted(writer, rows, _RARE)
                if rows_of_term > _RARE:
                    found.add(node)
        return frozenset(found)

    def _from(self, query: IncidentQuery, part: indexed.Part, stale: Sequence[str], writer: Writer) -> tuple[str, str]:
        """FROM and WHERE for what of the copy matches and is not stale, and the column that has the ids in order.

        A list of a frequent term and nothing else that is indexed goes along the term's own rows.
        """
        lead = next(iter(writer.probed), None)
        if lead is None or any(indexed.chooses(node) for node in indexed.required(part.node)):
            return f"FROM incident_index WHERE {self._where(query, part, stale, writer)}", "id"
        writer.terms_of = query.tenant
        rows = f"(SELECT t.id AS term_id FROM incident_term AS t WHERE {writer.term(lead)}) AS term"
        rest = replace(part, node=indexed.without(part.node, lead))
        where = self._where(query, rest, stale, writer)
        return f"FROM {rows} CROSS JOIN incident_index WHERE incident_index.id = term_id AND {where}", "term_id"

    def _ids(self, query: IncidentQuery, part: indexed.Part, stale: Sequence[str], frequent: frozenset[Node]) -> Clause:
        writer = Writer(self.dialect)
        writer.probed = frequent
        source, id_column = self._from(query, part, stale, writer)
        behind = filters.behind(query, writer)
        order = filters.ordered(query, writer, id_column)
        return writer.clause(f"SELECT {self.dialect.id_text} {source}{behind} {order}")

    def _rows(self, query: IncidentQuery, ids: Sequence[str]) -> Clause:
        writer = Writer(self.dialect)
        where = f"{filters.matching(query, writer)}{filters.behind(query, writer)} AND {writer.among('id', ids)}"
        return writer.clause(f"{self.select} WHERE {where} {filters.ordered(query, writer)}")

    def _where(self, query: IncidentQuery, part: indexed.Part, stale: Sequence[str], writer: Writer) -> str:
        where = filters.matching(query, writer, part.node)
        if stale:
            where += f" AND NOT {writer.among('id', stale)}"
        if not part.exact:
            whole = filters.matching(query, writer)
            where += f" AND EXISTS (SELECT 1 FROM incident WHERE incident.id = incident_index.id AND {whole})"
        return where

    def _count(
        self,
        query: IncidentQuery,
        part: indexed.Part,
        stale: Sequence[str],
        frequent: frozenset[Node],
        most: int | None,
    ) -> Clause:
        writer = Writer(self.dialect)
        writer.probed = frequent
        source, _ = self._from(query, part, stale, writer)
        rows = f"SELECT 1 {source}"
        if stale:
            rows += f" UNION ALL SELECT 1 FROM incident WHERE {self._among(query, stale, writer)}"
        return self._counted(writer, rows, most)

    def _sum(self, query: IncidentQuery, stale: Sequence[str]) -> Clause:
        """By kinds: one statement, so that the copy does not move on between its parts."""
        writer = Writer(self.dialect)
        text = f"(SELECT coalesce(sum(incidents), 0) FROM incident_count WHERE {filters.matching(query, writer)})"
        if stale:
            text += f" - (SELECT count(*) FROM incident_index WHERE {self._among(query, stale, writer)})"
            text += f" + (SELECT count(*) FROM incident WHERE {self._among(query, stale, writer)})"
        return writer.clause(f"SELECT {text}")

    def _among(self, query: IncidentQuery, stale: Sequence[str], writer: Writer) -> str:
        return f"{filters.matching(query, writer)} AND {writer.among('id', stale)}"

    def _counted(self, writer: Writer, rows: str, most: int | None) -> Clause:
        limit = "" if most is None else f" LIMIT {writer.bind(Type.INTEGER, most + 1)}"
        return writer.clause(f"SELECT count(*) FROM ({rows}{limit}) AS matching")
