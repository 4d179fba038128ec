"""Texts that steer terminals or hide what they say are refused by name; a bad event spoils no other."""

import aiohttp
import pytest

from tests.support.http import whole
from tests.support.server import running_server

ESCAPE = "see \x1b]0;owned\x07"
TURNED = "invoice\u202egnp.exe"


@pytest.mark.parametrize("text", [ESCAPE, TURNED, "\x9b31m"], ids=ascii)
async def test_control_characters_are_refused_wherever_they_stand(text: str) -> None:
    good = {"source": "llm-sentinel", "title": "fine"}
    async with running_server() as server, aiohttp.ClientSession(server.http) as http:
        for place in ({"title": text}, {"labels": {"team": text}}, {"labels": {text: "a"}}, {"metrics": {text: 1}}):
            reply = (await whole(http.post("/api/v1/events", json={**good, **place}))).json
            (violation,) = reply["details"][1]["field_violations"]
            assert violation["field"] == f"event.{next(iter(place))}"
            assert violation["reason"] == "string.control_characters"
        batch = {"events": [good, {**good, "description": text}, good]}
        reply = (await whole(http.post("/api/v1/events/batch", json=batch))).json
        assert [result["disposition"] for result in reply["results"]] == ["NEW", "REJECTED", "ATTACHED"]
        incident = reply["results"][0]["incident_id"]
        refused = await whole(http.post(f"/api/v1/incidents/{incident}/notes", json={"text": text}))
        assert refused.status == 400
        assert "text has control characters" in refused.text
