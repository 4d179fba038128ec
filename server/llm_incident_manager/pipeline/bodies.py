"""Which whole events are kept beside their compact rows, with the decision that explains them."""

from functools import lru_cache

import orjson

from llm_incident_manager.engines import sampling
from llm_incident_manager.engines.triage import Decision
from llm_incident_manager.pipeline.batch import Item
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import BodyRow, Changes


def keep_sampled(changes: Changes, item: Item, nth: int, tools: Tools) -> None:
    """Keeps the body when the event, the n-th of its incident, falls into the sample."""
    if sampling.keeps_body(nth):
        keep(changes, item, tools)


def keep(changes: Changes, item: Item, tools: Tools) -> None:
    """Keeps the body, with the trace it came in by where it names none itself."""
    event = item.event
    if not event.traceparent and item.submission.traceparent:
        event = event.traced(item.submission.traceparent)
    body = tools.codec.encode_event(event)
    changes.bodies.append(BodyRow(item.event_id, item.submission.tenant, body, decision_json(item)))


def decision_json(item: Item) -> str:
    """Identity and judgement as JSON: what ExplainEvent tells. The parts of the fingerprint follow from the body."""
    found = item.fingerprint
    identity = orjson.dumps((found.version, found.value)).decode()
    return f'{{"fingerprint":{identity},{_judgement_json(item.event.severity, item.judged)}'


@lru_cache(maxsize=4_096)
def _judgement_json(reported: str, judged: Decision) -> str:
    """The members of the object, to its end: few, where events are many."""
    members = {
        "severity": judged.severity.name,
        "reported": reported,
        "decided_by": judged.decided_by,
        "rule": judged.rule,
        "explanation": judged.explanation,
    }
    return orjson.dumps(members)[1:].decode()
