"""Severity words of other tools, put to a real server: an event of the tool with the word is submitted over REST, and
the severity of its incident is read.

The normalised word stands for the severity that DESIGN gives it: critical P0, high P1, warning P2, low P3, info P4.
"""

import aiohttp

from cases.case import Case, Doors, NotYet, Unreadable, difference, needed

NAME = "severity_maps"

_MEANT = {"critical": "P0", "high": "P1", "warning": "P2", "low": "P3", "info": "P4"}


def recognises(case: Case) -> bool:
    """A tool's word with what it means."""
    return {"tool", "map", "value", "expect"} <= case.keys()


async def run(case: Case, doors: Doors) -> str:
    """Reports the word, and reads how severe the incident is."""
    kind, expected = needed(case, "map", str), needed(case, "expect", str)
    if kind.startswith("status"):
        raise NotYet("words for the state of an alert come with the webhooks of other tools")
    if not kind.startswith("severit") or expected not in _MEANT:
        raise Unreadable(f"its {kind} says {expected!r}")
    tool, word = needed(case, "tool", str), needed(case, "value", str)
    return difference(await _severity(await doors.http(), tool, word), _MEANT[expected])


async def _severity(server: str, tool: str, word: str) -> str:
    event = {"source": tool, "title": "Something is wrong", "severity": word, "dedup_key": f"{tool}/{word}"}
    async with aiohttp.ClientSession(server, raise_for_status=True) as session:
        async with session.post("/api/v1/events", json=event) as answer:
            accepted = await answer.json()
        async with session.get(f"/api/v1/incidents/{accepted['incident_id']}") as answer:
            incident = await answer.json()
    return str(incident["severity"])
