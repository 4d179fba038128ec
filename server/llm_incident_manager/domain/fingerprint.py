"""Which events are one problem: their versioned, LLM-aware identity. Never looks at description or severity."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from llm_incident_manager.domain.event import Event

VERBATIM = 0
"""The version of a producer's own dedup_key."""

CURRENT = 1
"""The version of computed fingerprints."""

_UNIT = "tokens?|ms|s|sec|seconds?|minutes?|%|usd|kb|mb|gb|k|m"
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?\b"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b(?:req|run|chatcmpl|msg|trace|span|call|resp|thread|asst|org|key)[-_][a-z0-9]{6,}\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b"), "<hex>"),
    (re.compile(rf"\b\d+(?:[.,:]\d+)*(?:{_UNIT})?(?![\w-])"), "<n>"),
)
_WITH_UNITS = re.compile(rf"<n>(?: (?:{_UNIT})(?![\w-]))+")
_WITH_HOURS = re.compile(r"<time>(?: <n>)+")
_DATE_SUFFIX = re.compile(r"[-@_:](?:20\d{2}-?\d{2}-?\d{2}|\d{4}|latest|preview|v\d+(?:[.:]\d+)*|\d{3})$")


class Component(NamedTuple):
    """One named part of a fingerprint, after normalisation."""

    name: str
    value: str


class Fingerprint(NamedTuple):
    """An identity: events of a tenant with equal version and value belong together."""

    version: int
    value: str
    components: tuple[Component, ...] = ()


def normalise_text(text: str) -> str:
    """Lower case, one space, with ids, times, numbers, token counts and hex replaced by their sort."""
    folded = " ".join(["<n>" if word.isdecimal() else _masked(word) for word in text.lower().split()])
    if "<" in folded:
        folded = _WITH_HOURS.sub("<time>", _WITH_UNITS.sub("<n>", folded))
    return folded


@lru_cache(maxsize=16_384)
def _masked(word: str) -> str:
    """Titles of a storm are made of the same words over and over."""
    for pattern, mask in _MASKS:
        word = pattern.sub(mask, word)
    return word


def model_family(model: str) -> str:
    """The model without its date, version or preview suffix: gpt-4o-2024-08-06 -> gpt-4o."""
    family = model.lower().strip()
    while True:
        shorter = _DATE_SUFFIX.sub("", family)
        if shorter in (family, ""):
            return family
        family = shorter


_SETTLED_BY = (
    *("source", "kind", "provider", "model_resolved", "model_requested", "deployment", "service", "application"),
    *("environment", "policy", "rule", "template", "tool", "error_class"),
)
_settled_by = itemgetter(*map(Event._fields.index, _SETTLED_BY))


def key_of(event: Event, title: str) -> tuple[object, ...]:
    """The fields that decide a fingerprint, with the title as it came or normalised: events with equal keys have equal
    fingerprints, so these may be remembered by them."""
    return (title, event.dedup_key, _settled_by(event))


def compute(event: Event, title: str | None = None) -> Fingerprint:
    """The event's fingerprint: its dedup_key verbatim when given, otherwise version 1 over its normalised parts.
    `title` is the normalised title, where it is known already."""
    if event.dedup_key:
        return Fingerprint(VERBATIM, event.dedup_key, (Component("dedup_key", event.dedup_key),))
    before, after = _around_title(_settled_by(event))
    title = normalise_text(event.title) if title is None else title
    parts = (*before, Component("title", title), *after) if title else (*before, *after)
    return Fingerprint(CURRENT, _digest(parts), parts)


@lru_cache(maxsize=4_096)
def _around_title(settled_by: tuple[str, ...]) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The components before the title and behind it: few, where titles are many."""
    source, kind, provider, resolved, requested, deployment, service, application, *others = settled_by
    environment, policy, rule, template, tool, error_class = others
    before = (("source", source.strip().lower()), ("kind", kind.strip().lower()))
    after = (
        ("provider", provider.strip().lower()),
        ("model_family", model_family(resolved or requested)),
        ("deployment", deployment),
        ("service", service),
        ("application", application),
        ("environment", environment.lower()),
        ("policy", policy),
        ("rule", rule),
        ("template", template),
        ("tool", tool),
        ("error_class", error_class.lower()),
    )
    return _given(before), _given(after)


def _given(named: Iterable[tuple[str, str]]) -> tuple[Component, ...]:
    return tuple([Component(name, value) for name, value in named if value])


def _digest(parts: Sequence[Component]) -> str:
    text = "\x1f".join([f"{name}={value}" for name, value in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
