"""The formats that are read, and those that will be with the features they are about."""

from collections.abc import Mapping

from cases.case import Format
from cases.formats import (
    filters,
    health,
    http_rules,
    paging,
    path_matcher,
    path_templates,
    query_parameters,
    reflection,
    relay_connections,
    severity_maps,
    status_mapping,
    template_tokens,
)

FORMATS: tuple[Format, ...] = (
    path_templates,
    template_tokens,
    path_matcher,
    query_parameters,
    http_rules,
    health,
    reflection,
    status_mapping,
    severity_maps,
    filters,
    paging,
    relay_connections,
)
"""A file belongs to the format whose name is in the file's."""

_ROUTING = "routes as a tree, matchers, inhibition, grouping and time intervals are still to come"
_ONCALL = "on-call schedules are still to come"
_ESCALATION = "escalation policies are still to come"
_WEBHOOKS = "the webhooks of other tools are still to come"

LATER: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "route_match",
            "amtool_oracle",
            "inhibition",
            "matcher_parse",
            "matcher_match",
            "alert_merge",
            "notification_timing",
            "time_intervals",
        ),
        _ROUTING,
    ),
    **dict.fromkeys(
        (
            "rotations",
            "weekday_rules",
            "schedule_shifts",
            "on_call_at_instant",
            "rolling_days",
            "final_schedule",
        ),
        _ONCALL,
    ),
    "escalation_": _ESCALATION,
    "payloads_": _WEBHOOKS,
    "webhooks_": _WEBHOOKS,
    "official_docs": _WEBHOOKS,
    "lifecycle_alerta": _WEBHOOKS,
    "same_message_pairs": "templates of messages are still to come",
}
"""Words in the names of files that wait for a feature, and which."""
