"""The proxy itself: POST /v1/chat/completions is forwarded, measured and, where a directive says so, turned away."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from examples.llm_proxy.obeying import Asked, Directives
from examples.llm_proxy.watching import Call, Change, Problem, Watch
from llm_incident_client import pb
from llm_incident_client.edge_agent import EdgeAgent
from llm_incident_client.edge_agent.models.rules import Classify
from llm_incident_client.edge_agent.spool import SpoolBroken

_log = logging.getLogger(__name__)
_PER = 1_000_000  # prices are for so many tokens
_USUAL_GUARDRAIL = 0.2
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=5)
_SEVERITY = {Problem.ERRORS: "P1", Problem.LATENCY: "P2", Problem.COST: "P2"}
_UNIT = {Problem.ERRORS: "of calls fail", Problem.LATENCY: "s at p95", Problem.COST: "dollars an hour"}


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a model is, and what it costs: US dollars for a million tokens."""

    url: str
    provider: str = ""
    key_variable: str = ""
    input_price: float = 0.0
    output_price: float = 0.0

    def cost(self, usage: Mapping[str, Any]) -> float:
        """Of one answer."""
        spent = usage.get("prompt_tokens", 0) * self.input_price + usage.get("completion_tokens", 0) * self.output_price
        return float(spent) / _PER


class Proxy:
    """Serves one application. `agent` takes what there is to report."""

    def __init__(
        self, upstreams: Mapping[str, Upstream], watch: Watch, directives: Directives, agent: EdgeAgent
    ) -> None:
        """`upstreams` by model."""
        self._upstreams = upstreams
        self._watch = watch
        self._directives = directives
        self._agent = agent
        self._guard = Classify()
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """What is served."""
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_post("/v1/chat/completions", self._complete)
        application.on_startup.append(self._start)
        application.on_cleanup.append(self._stop)
        return application

    async def _start(self, _: web.Application) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def _stop(self, _: web.Application) -> None:
        assert self._session is not None
        await self._session.close()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
            asked = _asked(body, request.headers.get("Authorization", ""))
        except (ValueError, TypeError, AttributeError, KeyError):
            return _error(400, "the body is no chat completion request")
        if asked.model not in self._upstreams:
            return _error(404, f"there is no model {asked.model!r}: there are {', '.join(self._upstreams)}")
        if (turned := self._directives.turn_away(asked, time.monotonic())) is not None:
            return _error(turned.status, turned.why, {"Retry-After": "1"} if turned.status == 429 else {})
        if (verdict := await self._refused_prompt(body, asked)) is not None:
            return _error(400, f"the prompt looks like {verdict}", {})
        return await self._forward(request, body, asked)

    async def _refused_prompt(self, body: Mapping[str, Any], asked: Asked) -> str | None:
        """Why a prompt is refused; reported."""
        text = " ".join(str(one.get("content", "")) for one in body["messages"] if one.get("role") == "user")
        answer = await self._guard.run(text, {})
        score = max(answer.scores.values(), default=0.0)
        if score < self._directives.guardrail(asked, _USUAL_GUARDRAIL):
            return None
        kind = max(answer.scores, key=lambda one: answer.scores[one])
        self._report(
            pb.Event(
                source=self._agent.options.agent_id,
                title=f"Guardrail: a prompt to {asked.model} looks like {kind}",
                severity="P2",
                kind="guardrail.block",
                service=self._agent.options.service,
                provider=self._upstreams[asked.model].provider,
                model_requested=asked.model,
                metrics={"score": score},
                labels={"class": kind},
            )
        )
        return kind

    async def _forward(self, request: web.Request, body: dict[str, Any], asked: Asked) -> web.StreamResponse:
        assert self._session is not None
        began = time.monotonic()
        model = self._directives.route(asked)
        upstream = self._upstreams[model]
        key = os.environ.get(upstream.key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        failed = True
        usage: Mapping[str, Any] = {}
        try:
            url = f"{upstream.url}/v1/chat/completions"
            async with self._session.post(url, json={**body, "model": model}, headers=headers) as answer:
                failed = answer.status >= 500 or answer.status == 429
                response, usage = await _passed_on(request, answer)
                return response
        except (aiohttp.ClientError, TimeoutError) as error:
            failed = True
            return _error(502, f"{model} cannot be reached: {str(error) or type(error).__name__}")
        finally:
            seconds = time.monotonic() - began
            self._saw(asked, Call(time.monotonic(), failed, seconds, upstream.cost(usage)))

    def _saw(self, asked: Asked, call: Call) -> None:
        for change in self._watch.saw(asked.model, call):
            self._report(self._event(change))

    def _report(self, event: pb.Event) -> None:
        """Calls go on whether or not there is room for what they tell; the spool counts what it refuses."""
        try:
            self._agent.report_nowait(event)
        except SpoolBroken:
            _log.exception("an event is lost; the agent is about to end")

    def _event(self, change: Change) -> pb.Event:
        """A problem that begins triggers, one that is over resolves; both name it in the same way."""
        agent = self._agent.options
        return pb.Event(
            action=pb.Action.ACTION_TRIGGER if change.begins else pb.Action.ACTION_RESOLVE,
            source=agent.agent_id,
            title=f"{change.model}: {change.measured:.3g} {_UNIT[change.problem]}, the limit is {change.limit:g}",
            severity=_SEVERITY[change.problem],
            kind=str(change.problem),
            dedup_key=f"{agent.agent_id}:{change.model}:{change.problem}",
            service=agent.service,
            environment=agent.environment,
            provider=self._upstreams[change.model].provider,
            model_requested=change.model,
            metrics={str(change.problem): change.measured},
        )


async def _passed_on(
    request: web.Request, answer: aiohttp.ClientResponse
) -> tuple[web.StreamResponse, Mapping[str, Any]]:
    """The upstream's answer as the caller gets it, piece by piece where it is a stream; and the tokens it tells of."""
    if answer.content_type != "text/event-stream":
        data = await answer.read()
        return web.Response(body=data, status=answer.status, content_type=answer.content_type), _usage(data)
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    usage: Mapping[str, Any] = {}
    async for line in answer.content:
        await response.write(line)
        if line.startswith(b"data: {") and b'"usage"' in line:
            usage = _usage(line[6:]) or usage
    await response.write_eof()
    return response, usage


def _usage(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data).get("usage")
    except (ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _asked(body: Mapping[str, Any], authorization: str) -> Asked:
    if not isinstance(body["messages"], list):
        raise TypeError("messages is no list")
    tools = frozenset(str(one["function"]["name"]) for one in body.get("tools") or ())
    return Asked(str(body["model"]), str(body.get("user") or authorization.removeprefix("Bearer ")), tools)


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": text, "code": status}}, status=status, headers=headers)
