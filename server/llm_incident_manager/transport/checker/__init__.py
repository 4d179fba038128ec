"""The one compiled checker of the schema's validation options (`buf.validate`).

`compile_checker` walks a message descriptor once; the checker it returns costs a few microseconds a message and names
every bad field at once. protovalidate is its oracle in tests. It only judges fields: it never looks anything up.
"""

from collections.abc import Callable
from dataclasses import replace

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport.checker import explain, plan, program
from llm_incident_manager.transport.checker.rules import UncheckableRule

__all__ = ["Checker", "UncheckableRule", "Violation", "compile_checker", "compile_twin"]

Checker = Callable[[Message], tuple[Violation, ...]]
"""Judges a message of the type it was compiled for; an empty tuple means it is valid."""


def compile_checker(descriptor: Descriptor) -> Checker:
    """Compiles the rules of a message type and of everything in it.

    Raises:
        UncheckableRule: the schema uses a validation option the checker does not enforce; names field and option.
    """
    plans = plan.plan_all(descriptor)
    root = descriptor.full_name
    broken = program.compile_predicate(root, plans)

    def check(message: Message) -> tuple[Violation, ...]:
        return explain.violations(plans, root, message) if broken(message) else ()

    return check


def compile_twin(descriptor: Descriptor, without: frozenset[str]) -> Callable[[object], bool]:
    """Compiles the rules of a message type for values that are no messages and have its fields as attributes: true
    when anything is broken. Reading a tuple costs a third of reading a message, and what is translated anyway need
    not be read twice.

    `without` names fields that look different in such values, enums for instance; whoever translates judges those.
    """
    plans = dict(plan.plan_all(descriptor))
    root = plans[descriptor.full_name]
    kept = tuple(field for field in root.fields if field.name not in without)
    plans[descriptor.full_name] = replace(root, fields=kept)
    return program.compile_predicate(descriptor.full_name, plans)
