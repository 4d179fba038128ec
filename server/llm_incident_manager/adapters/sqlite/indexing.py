"""Brings the copies that lists and searches ask along the change feed, on the writer's thread. Decides nothing."""

from collections.abc import Iterator

import apsw
import orjson

from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.connection import overwriting
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, Row, rows
from llm_incident_manager.domain import search

ANALYSED_EVERY = 50_000
"""Changes after which the statistics are taken anew; with fewer rows any way through them is short."""

_INDEX, _DOCUMENT = "incident_index", "incident_document"
_MILLISECOND = 1 << 20
"""Places for incidents of one millisecond. Places, like ids, go by time; those of one millisecond by the feed."""


def copy(connection: apsw.Connection, limit: int) -> int:
    """Copies the incidents of at most `limit` changes; returns how many changes there were."""
    found = rows(connection, "unfollowed", (_INDEX, limit))
    if found:
        first, last = found[0][0], found[-1][0]
        rows(connection, "copy_incidents", (first, last))
        rows(connection, "follow", (last, _INDEX))
        if first // ANALYSED_EVERY != last // ANALYSED_EVERY:
            rows(connection, "analyse")
    return len(found)


def document(connection: apsw.Connection, limit: int) -> int:
    """Takes the words of the incidents of at most `limit` changes; returns how many changes there were."""
    found = rows(connection, "unfollowed", (_DOCUMENT, limit))
    if found:
        texts = rows(connection, "undocumented", (found[0][0], found[-1][0]))
        with overwriting(connection):  # the index of words frees pages that have words all the time
            connection.executemany(STATEMENTS["put_words"], list(_placed(connection, texts)))
        rows(connection, "follow", (found[-1][0], _DOCUMENT))
    return len(found)


def _placed(connection: apsw.Connection, texts: list[Row]) -> Iterator[tuple[int, str]]:
    for id_, tenant, title, description, labels, notes in texts:
        words = search.document(title, description, orjson.loads(labels), orjson.loads(notes))
        first = (ids.number(id_) >> 80) * _MILLISECOND - _SINCE
        ((place, last),) = rows(connection, "document_place", (id_, first + _MILLISECOND))
        if place is None:
            place = first if last is None or last < first else last + 1
            rows(connection, "add_document", (place, tenant, id_))
        yield place, " ".join(words)


_SINCE = 1_577_836_800_000 * _MILLISECOND
"""Places count from 2020, so that they fit into 63 bits."""
