"""Calls every method by the examples of the interface, and compares what it changed with what the audit says of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apsw
import grpc
import yaml
from google.protobuf.message import Message

from llm_incident_manager.adapters.sql.audit import AUDIT_COLUMNS
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import reads
from llm_incident_manager.domain import changed_fields
from llm_incident_manager.domain.access import DEVELOPER
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.stores import IncidentQuery
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.jsoncodec import codec
from tests.support import prepared
from tests.support.foreign import IN_VAIN
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer
from tools.apidocs.examples import FOLDER

# Its webhook leads nowhere and is tried once: every incident has a dead letter soon.
CHANNEL = {"type": "webhook", "webhook_url": "http://127.0.0.1:9/"}
CONFIG = {"notifications": {"max_attempts": 1, "channels": [CHANNEL]}, **LOOPBACK, **IN_VAIN}

OF_THE_SYSTEM = ("incident.give_up", "incident.analysis")
"""What the server itself may do meanwhile."""

BESIDE = {
    "link": "SELECT incident_id, other_id FROM incident_link WHERE relation = 7",
    "attachment": "SELECT incident_id, id FROM incident_attachment",
    "analysis": "SELECT incident_id, id FROM incident_analysis",
    "note": "SELECT incident_id, id FROM timeline WHERE kind = 'NOTE'",
    "dead letter": "SELECT incident_id, id FROM outbox WHERE dead",
}
"""What belongs to an incident and leaves its revision alone."""

TOLD_BY = {
    "link": {"incident.link", "incident.unlink"},
    "attachment": {"incident.attach", "incident.detach"},
    "analysis": {"incident.request_analysis"},
    "note": {"incident.note"},
    "dead letter": {"incident.replay_dead_letter", "incident.drop_dead_letter"},
}

OF_ACCESS = """
    SELECT 'role/' || name, revision FROM role
    UNION ALL SELECT 'api_key/' || id, revision FROM api_key
    UNION ALL SELECT 'tenant/' || id, revision FROM tenant
    UNION ALL SELECT 'certificate/' || fingerprint, revision FROM denied_certificate
    UNION ALL SELECT 'directive/' || id, revision FROM directive
    UNION ALL SELECT 'edge_agent/' || agent_id, 1 FROM edge_agent
"""
"""Who is let in, and directives: the audit's name of each, and the revision of its last change. Of an agent only that
it is there: each session changes it."""

Example = Mapping[str, Any]


def _examples() -> Iterator[tuple[Method, Example]]:
    for method in methods.all_methods():
        service = method.service.rpartition(".")[2]
        given = yaml.safe_load((FOLDER / f"{service}.yaml").read_text("utf-8"))[method.name]
        for example in given if isinstance(given, list) else [given]:
            if "refused" not in example:
                yield method, example


EXAMPLES = list(_examples())


def writes(method: Method) -> bool:
    """Whether it changes what the audit tells of."""
    return method.permission.endswith("_WRITE") or method.name == "Session"


WRITING = [(method, example) for method, example in EXAMPLES if writes(method)]


@dataclass(frozen=True)
class State:
    """All that methods change, and the audit."""

    incidents: Mapping[str, Incident]
    beside: Mapping[str, frozenset[tuple[str, str]]]
    access: frozenset[tuple[str, int]]
    audit: Sequence[AuditRow]

    def same(self, other: "State") -> bool:
        """Whether nothing has changed that a caller could change; the server may have given work up meanwhile."""
        alike = all(self.beside[what] == other.beside[what] for what in BESIDE if what != "dead letter")
        mine, theirs = (
            {name: changed_fields.opened(each) for name, each in state.incidents.items()} for state in (self, other)
        )
        same_fields = all(
            not changed_fields.between(each, other.incidents[name]).after for name, each in self.incidents.items()
        )
        return alike and mine == theirs and same_fields and self.access == other.access


def look(server: RunningServer) -> State:
    """The database as it is now, read past the server."""
    connection = connections.open_reader(str(server.data / "incidents.db"))
    try:
        connection.execute("BEGIN")
        found = reads.page(connection, query=IncidentQuery(DEVELOPER.tenant, limit=1_000))
        beside = {what: frozenset(_texts(connection.execute(sql))) for what, sql in BESIDE.items()}
        columns = ", ".join(AUDIT_COLUMNS)
        rows = connection.execute(f"SELECT {columns} FROM audit ORDER BY writer, sequence")
        access = frozenset((str(name), int(revision)) for name, revision in connection.execute(OF_ACCESS))
        return State({each.id: each for each in found}, beside, access, [AuditRow(*row) for row in rows])
    finally:
        connection.close()


def _texts(rows: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # a cursor
    for incident, other in rows:
        yield incident.hex(), other.hex() if isinstance(other, bytes) else str(other)


async def call(server: RunningServer, method: Method, requests: Sequence[Message]) -> Sequence[Message]:
    """All replies; of a stream that does not end by itself the first."""
    path, reply = f"/{method.full_name}", method.response.FromString
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        if not method.response_streaming:
            unary = channel.unary_unary(path, type(requests[0]).SerializeToString, reply)
            return [await unary(requests[0], timeout=20)]
        if method.request_streaming:
            both = channel.stream_stream(path, type(requests[0]).SerializeToString, reply)(iter(requests), timeout=20)
            return [each async for each in both]
        stream = channel.unary_stream(path, type(requests[0]).SerializeToString, reply)(requests[0], timeout=20)
        async for each in stream:
            stream.cancel()
            return [each]
        return []


async def prepare(server: RunningServer, method: Method, example: Example) -> Sequence[Message]:
    """What the example asks for is there; its requests."""
    filled = await prepared.prepare(example.get("given", ""), server)
    text = re.sub(r"\b[A-Z_]{3,}\b", lambda name: filled.get(name[0], name[0]), json.dumps(example["request"]))
    given = json.loads(text)
    read = codec(method.descriptor.input_type)
    return [read.loads(json.dumps(each).encode()) for each in (given if isinstance(given, list) else [given])]


def new_records(before: State, after: State) -> list[AuditRow]:
    """What was added by callers; fails when anything that was there is gone or another."""
    known = {(row.writer, row.sequence): row for row in after.audit}
    assert all(known.get((row.writer, row.sequence)) == row for row in before.audit), "the audit only grows"
    old = {(row.writer, row.sequence) for row in before.audit}
    return [row for key, row in sorted(known.items()) if key not in old and row.action not in OF_THE_SYSTEM]


def check(before: State, after: State) -> list[AuditRow]:
    """Fails unless the new records tell of each change once, and of nothing else; returns them."""
    records = new_records(before, after)
    told = {id(row) for row in records}
    for name, incident in after.incidents.items():
        ours = [row for row in records if row.resource == f"incident/{name}" and _is_of_incident(row)]
        told -= {id(row) for row in ours}
        was = before.incidents.get(name)
        if was is None:
            opened, *ours = ours
            assert (opened.action, opened.before) in (("incident.opened", "{}"), ("incident.split", "{}"))
            assert json.loads(opened.after) == dict(changed_fields.opened(incident)) or ours
        else:
            difference = changed_fields.between(was, incident)
            assert joined(ours) == (dict(difference.before), dict(difference.after)), ours
    for what, actions in TOLD_BY.items():
        changed = sorted(incident for incident, _ in before.beside[what] ^ after.beside[what])
        if what == "dead letter":  # new ones are the server's own
            changed = sorted(incident for incident, _ in before.beside[what] - after.beside[what])
        ours = [row for row in records if row.action in actions]
        told -= {id(row) for row in ours}
        assert sorted(row.resource.removeprefix("incident/").replace("-", "") for row in ours) == changed, what
        assert all(json.loads(row.before) or json.loads(row.after) for row in ours)
    told -= _of_access(before, after, records)
    assert not told, [row for row in records if id(row) in told]
    return records


def _of_access(before: State, after: State, records: Sequence[AuditRow]) -> set[int]:
    """The records of who is let in; fails unless each change has one."""
    ours = [row for row in records if not row.resource.startswith(("incident/", "dead_letter/"))]
    changed = sorted({name for name, _ in before.access ^ after.access})
    assert sorted(row.resource for row in ours) == changed
    assert all(row.before != row.after for row in ours), "a record that tells of no change"
    return {id(row) for row in ours}


def joined(records: Sequence[AuditRow]) -> tuple[dict[str, str], dict[str, str]]:
    """What several records together say of the fields: each goes on where the one before it ended."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in records:
        before, after = json.loads(row.before), json.loads(row.after)
        assert before, "a record that tells of no change"
        assert before.keys() == after.keys()
        for name, value in before.items():
            assert last.get(name, value) == value, f"{name} was changed without a record"
            first.setdefault(name, value)
            last[name] = after[name]
    changed = [name for name in first if first[name] != last[name]]
    return {name: first[name] for name in changed}, {name: last[name] for name in changed}


def _is_of_incident(row: AuditRow) -> bool:
    return not any(row.action in actions for actions in TOLD_BY.values())


@contextmanager
def audit_refused(server: RunningServer) -> Iterator[None]:
    """The table of the audit takes no record."""
    connection = apsw.Connection(str(server.data / "incidents.db"))
    connection.set_busy_timeout(5_000)
    connection.execute("CREATE TRIGGER refused BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'refused'); END")
    try:
        yield
    finally:
        connection.execute("DROP TRIGGER refused")
        connection.close()
