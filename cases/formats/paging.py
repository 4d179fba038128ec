"""Orders of lists (AIP-132) and pages (AIP-158).

An order over a case's own fields cannot be put to a server: these go to the reader of orders, with those fields. What
is said of pages is tried on a real server.
"""

import re
from collections.abc import Iterable

from cases import statements
from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.domain import filters
from llm_incident_manager.domain.filter_fields import Field, Type
from llm_incident_manager.domain.filter_schema import Schema
from llm_incident_manager.domain.filters import InvalidFilter

NAME = "paging_ordering"

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def recognises(case: Case) -> bool:
    """An order, or a situation with what is expected."""
    return "order_by" in case or {"situation", "expect"} <= case.keys()


async def run(case: Case, doors: Doors) -> str:
    """Whichever of the three kinds the case is."""
    if "situation" in case:
        return await statements.about_pages(case["situation"], needed(case, "expect", str), doors)
    order = needed(case, "order_by", (str, list))
    if isinstance(order, list):
        return _read(", ".join(order), _schema(needed(case, "allowed", list)), case)
    return _read(order, _schema(_PATH.findall(order)), case)


def _schema(names: Iterable[str]) -> Schema:
    return Schema({name: Field(name, Type.TEXT, name, name) for name in names})


def _read(text: str, schema: Schema, case: Case) -> str:
    if not {"expect", "expect_error"} & case.keys():
        raise Unreadable("it expects nothing")
    try:
        got = [{"path": key.field, "desc": key.descending} for key in filters.parse_order(text, schema)]
    except InvalidFilter as error:
        return "" if case.get("expect_error") else error.message
    if case.get("expect_error"):
        return f"got {got}"
    return difference(got, case.get("expect", got))
