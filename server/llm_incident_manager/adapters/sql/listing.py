"""How a list and a count of incidents are found, as steps: each yields a statement, gets its rows, and decides on.

`incident_index` follows the change feed a moment behind. What it has not followed yet is few: those incidents are
looked up in the table itself, so that no list misses or misjudges what was committed before it. Runs no statement.
"""

import sys
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from llm_incident_manager.adapters.sql import filters, indexed
from llm_incident_manager.adapters.sql.dialect import Dialect
from llm_incident_manager.adapters.sql.filters import Clause, Writer
from llm_incident_manager.domain.filter_fields import FIELDS, Type
from llm_incident_manager.domain.filter_tree import And, Node
from llm_incident_manager.ports.stores import Count, IncidentQuery

T = TypeVar("T")
Rows = Sequence[Sequence[Any]]
Steps = Generator[Clause, Rows, T]

MOST_STALE = 5_000
"""With more incidents than this to look up, because the copy has fallen behind, the table is asked about all."""

_LAST = chr(sys.maxunicode)
"""Behind every letter and digit."""

_MOST_BEGUN = 16
"""So many words with the same start are looked up one by one: an index of words otherwise gathers all they are in."""

_RARE = 2_000
"""A term of at most so many incidents is gathered at once; of more, it is looked up or followed row by row."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How to go through the copy: along the rows of words, or of one term, or as the database chooses. Terms that are
    `looked_up` are asked of each row; others are gathered first."""

    looked_up: frozenset[Node]
    lead: Node | None
    by_words: bool = False


_Ways = Sequence[tuple[indexed.Part, _Way]]
"""Each with the part of the filter that is asked along it."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The steps in one dialect. `select` reads whole incidents; `stale` takes a tenant and a number of ids."""

    dialect: Dialect
    select: str
    stale: str

    def page(self, query: IncidentQuery) -> Steps[Rows]:
        """The rows of one page. Raises ValueError when `after` does not fit the order."""
        part = indexed.part_of(query.filter)
        helps = (part.helps or query.search is not None) and indexed.sorts(query.order)
        stale = (yield from self._stale(query)) if helps else None
        if stale is None:
            return (yield self._asked(query))
        query = yield from self._begun(query)
        # What is stale may stand anywhere, so places can be skipped only once it is in.
        first = replace(query, limit=query.limit + query.offset, offset=0) if stale else query
        ways = yield from self._ways(query, part)
        found = yield self._ids(first, ways, stale)
        wanted = [str(row[0]) for row in found]
        if not wanted and not stale:
            return ()
        return (yield self._rows(query if stale else replace(query, offset=0), wanted, stale))

    def count(self, query: IncidentQuery, most: int | None = None) -> Steps[Count]:
        """How many match; what would take looking at more than `most` of them is told as "at least"."""
        part = indexed.part_of(query.filter)
        stale = (yield from self._stale(query)) if part.helps or query.search is not None else None
        query = yield from self._begun(query)
        if stale is None:
            writer = Writer(self.dialect)
            rows = yield self._counted(writer, f"SELECT 1 FROM incident WHERE {self._whole(query, writer)}", most)
        elif part.exact and part.counted and not _spans(query) and query.search is None:
            return Count(int((yield self._sum(query, stale))[0][0]))
        else:
            ways = yield from self._ways(query, part)
            if most is not None and len(ways) > 1 and (yield from self._one_exceeds(query, ways, stale, most)):
                return Count(most, at_least=True)
            rows = yield self._count(query, ways, stale, most)
        total = int(rows[0][0])
        return Count(most, at_least=True) if most is not None and total > most else Count(total)

    def _stale(self, query: IncidentQuery) -> Steps[list[str] | None]:
        """Incidents that changed since the copy came by; None when they are too many."""
        rows = yield Clause(self.stale, (query.tenant, MOST_STALE + 1))
        return [str(row[0]) for row in rows] if len(rows) <= MOST_STALE else None

    def _begun(self, query: IncidentQuery) -> Steps[IncidentQuery]:
        """With the few words that begin as the search says, where the database would gather what all of them are in."""
        if query.search is None or not query.search.start or not self.dialect.vocabulary:
            return query
        writer, start = Writer(self.dialect), query.search.start
        ends = writer.bind(Type.TEXT, start), writer.bind(Type.TEXT, start + _LAST)
        limit = writer.bind(Type.INTEGER, _MOST_BEGUN + 1)
        rows = yield writer.clause(self.dialect.vocabulary.format(*ends, limit))
        if not 0 < len(rows) <= _MOST_BEGUN:
            return query
        return replace(query, search=replace(query.search, begun=tuple(str(row[0]) for row in rows)))

    def _ways(self, query: IncidentQuery, part: indexed.Part) -> Steps[_Ways]:
        """One way through all, or one for each alternative; what lies on several of them is found once."""
        nodes = indexed.branches(part.node) if query.search is None else ()
        parts = [replace(part, node=node) for node in nodes] or [part]
        ways: list[_Way] = []
        while len(ways) < len(parts):
            ways.append((yield from self._way(query, parts[len(ways)])))
        return list(zip(parts, ways, strict=True))

    def _one_exceeds(self, query: IncidentQuery, ways: _Ways, stale: Sequence[str], most: int) -> Steps[bool]:
        """Whether one way alone has more than `most`: then nobody needs to know which lie on several."""
        for way in ways:
            writer = Writer(self.dialect)
            rows = yield self._counted(writer, f"SELECT 1 {self._unordered(query, way, stale, writer)}", most)
            if int(rows[0][0]) > most:
                return True
        return False

    def _way(self, query: IncidentQuery, part: indexed.Part) -> Steps[_Way]:
        """Along which rows to go. Only what is required of all matches can lead."""
        required = indexed.required(part.node)
        named = [node for node in required if indexed.terms(node)]
        frequent: set[Node] = set()
        for node in named:
            writer = Writer(self.dialect)
            writer.terms_of = query.tenant
            if (yield from self._exceeds(writer, f"SELECT 1 FROM incident_term AS t WHERE {writer.term(node)}")):
                frequent.add(node)
        chosen = len(frequent) < len(named) or any(map(indexed.chooses, required))
        if query.search is not None:
            writer = Writer(self.dialect)
            leads = self.dialect.reorders or not chosen
            leads = leads or not (yield from self._exceeds(writer, self._found(query, writer)))
            return _Way(frozenset(named) if leads else frozenset(frequent), None, by_words=leads)
        lead = None if chosen else next((node for node in named if node in frequent), None)
        return _Way(frozenset(frequent), lead)

    def _exceeds(self, writer: Writer, rows: str) -> Steps[bool]:
        found = yield self._counted(writer, rows, _RARE)
        return int(found[0][0]) > _RARE

    def _from(self, query: IncidentQuery, part: indexed.Part, stale: Sequence[str], way: _Way, writer: Writer) -> str:
        """FROM and WHERE for what of the copy matches and is not stale."""
        writer.probed = way.looked_up
        if way.by_words:
            lead = self._found(query, writer)
            if query.after is not None and not query.order:
                lead += self.dialect.found_behind.format(writer.bind(Type.ID, str(query.after[0])))
        elif way.lead is not None:
            writer.terms_of = query.tenant
            lead = f"SELECT t.id AS term_id FROM incident_term AS t WHERE {writer.term(way.lead)}"
            part = replace(part, node=indexed.without(part.node, way.lead))
        else:
            where = self._where(query, part, stale, writer)
            if query.search is not None:
                where += f" AND {self._has_words(query, 'incident_index', writer)}"
            return f"FROM incident_index WHERE {where}"
        by_id = all(key.field == "id" for key in query.order)
        if by_id and part.exact and part.node == And(()) and not _spans(query):  # its own rows tell all
            fresh = f"NOT {writer.among('term_id', stale)}" if stale else "TRUE"
            return f"FROM (SELECT term.*, term_id AS id FROM ({lead}) AS term WHERE {fresh}) AS term WHERE TRUE"
        index, node = indexed.narrow(part.node) if way.by_words and self.dialect.along else ("", part.node)
        along = self.dialect.along.format(index) if index else ""
        where = self._where(query, replace(part, node=node), stale, writer)
        return f"FROM ({lead}) AS term CROSS JOIN incident_index{along} WHERE incident_index.id = term_id AND {where}"

    def _ids(self, query: IncidentQuery, ways: _Ways, stale: Sequence[str]) -> Clause:
        writer = Writer(self.dialect)
        if len(ways) == 1:
            return writer.clause(self._ids_along(query, ways[0], self.dialect.id_text, stale, writer))
        # The first of all are among the first along each way, and each way has its index.
        first = replace(query, limit=query.limit + query.offset, offset=0)
        columns = ", ".join(dict.fromkeys([*(FIELDS[key.field].column for key in query.order), "id"]))
        found = _either(self._ids_along(first, way, columns, stale, writer) for way in ways)
        order = filters.ordered(query, writer)
        return writer.clause(f"SELECT {self.dialect.id_text} FROM ({found}) AS either {order}")

    def _ids_along(
        self, query: IncidentQuery, along: tuple[indexed.Part, _Way], columns: str, stale: Sequence[str], writer: Writer
    ) -> str:
        part, way = along
        source = self._from(query, part, stale, way, writer)
        behind = filters.behind(query, writer)
        led_by = self.dialect.found_order if way.by_words else "id" if way.lead is None else "term_id"
        return f"SELECT {columns} {source}{behind} {filters.ordered(query, writer, led_by)}"

    def _asked(self, query: IncidentQuery) -> Clause:
        """The page from the table itself."""
        writer = Writer(self.dialect)
        where = self._whole(query, writer) + filters.behind(query, writer)
        return writer.clause(f"{self.select} WHERE {where} {filters.ordered(query, writer)}")

    def _rows(self, query: IncidentQuery, found: Sequence[str], stale: Sequence[str]) -> Clause:
        """What was found, as it is now, and what is stale if it matches; what was found has the words already."""
        writer = Writer(self.dialect)
        where = filters.matching(query, writer) + filters.behind(query, writer)
        if query.search is None or not stale:
            where += f" AND {writer.among('id', [*found, *stale])}"
        else:
            words = self._has_words(query, "incident", writer)
            where += f" AND ({writer.among('id', found)} OR {writer.among('id', stale)} AND {words})"
        return writer.clause(f"{self.select} WHERE {where} {filters.ordered(query, writer)}")

    def _whole(self, query: IncidentQuery, writer: Writer) -> str:
        """What of the table matches."""
        where = filters.matching(query, writer)
        if query.search is not None:
            where += f" AND id IN (SELECT term_id FROM ({self._found(query, writer)}) AS term)"
        return where

    def _each(self, query: IncidentQuery, writer: Writer) -> str:
        """The same, to be asked of a few rows."""
        where = filters.matching(query, writer)
        return where if query.search is None else f"{where} AND {self._has_words(query, 'incident', writer)}"

    def _found(self, query: IncidentQuery, writer: Writer) -> str:
        assert query.search is not None
        words = writer.bind(Type.TEXT, self.dialect.pack_words(query.search))
        return self.dialect.found.format(words, writer.bind(Type.TEXT, query.tenant))

    def _has_words(self, query: IncidentQuery, table: str, writer: Writer) -> str:
        assert query.search is not None
        return self.dialect.found_one.format(writer.bind(Type.TEXT, self.dialect.pack_words(query.search)), table)

    def _where(self, query: IncidentQuery, part: indexed.Part, stale: Sequence[str], writer: Writer) -> str:
        where = filters.matching(query, writer, part.node)
        if stale:
            where += f" AND NOT {writer.among('id', stale)}"
        if not part.exact:
            whole = filters.matching(query, writer)
            where += f" AND EXISTS (SELECT 1 FROM incident WHERE incident.id = incident_index.id AND {whole})"
        return where

    def _count(self, query: IncidentQuery, ways: _Ways, stale: Sequence[str], most: int | None) -> Clause:
        writer = Writer(self.dialect)
        if query.search is not None and query.filter is None and not _spans(query):
            return self._counted(writer, self._found(query, writer), most)
        column = "id" if len(ways) > 1 else "1"
        found = [f"SELECT {column} {self._unordered(query, way, stale, writer)}" for way in ways]
        if len(found) > 1 and most is not None:
            found = [f"{each} LIMIT {writer.bind(Type.INTEGER, most + 1)}" for each in found]
        rows = found[0] if len(found) == 1 else _either(found)
        if stale:
            rows += f" UNION ALL SELECT {column} FROM incident WHERE {self._among(query, stale, writer)}"
        return self._counted(writer, rows, most)

    def _unordered(
        self, query: IncidentQuery, along: tuple[indexed.Part, _Way], stale: Sequence[str], writer: Writer
    ) -> str:
        part, way = along
        return self._from(replace(query, order=(), after=None), part, stale, way, writer)

    def _sum(self, query: IncidentQuery, stale: Sequence[str]) -> Clause:
        """By kinds: one statement, so that the copy does not move on between its parts."""
        writer = Writer(self.dialect)
        text = f"(SELECT coalesce(sum(incidents), 0) FROM incident_count WHERE {filters.matching(query, writer)})"
        if stale:
            of_copy = f"{filters.matching(query, writer)} AND {writer.among('id', stale)}"
            text += f" - (SELECT count(*) FROM incident_index WHERE {of_copy})"
            text += f" + (SELECT count(*) FROM incident WHERE {self._among(query, stale, writer)})"
        return writer.clause(f"SELECT {text}")

    def _among(self, query: IncidentQuery, stale: Sequence[str], writer: Writer) -> str:
        return f"{self._each(query, writer)} AND {writer.among('id', stale)}"

    def _counted(self, writer: Writer, rows: str, most: int | None) -> Clause:
        limit = "" if most is None else f" LIMIT {writer.bind(Type.INTEGER, most + 1)}"
        return writer.clause(f"SELECT count(*) FROM ({rows}{limit}) AS matching")


def _either(found: Iterable[str]) -> str:
    """What one of several statements finds, each row once."""
    return " UNION ".join(f"SELECT * FROM ({each}) AS way" for each in found)


def _spans(query: IncidentQuery) -> bool:
    return query.created_from is not None or query.created_before is not None
