"""EdgeAgentService: models that agents run near the traffic."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from incidentmanager.v1 import edge_agent_service_pb2, edge_inference_pb2

from llm_incident_manager.domain import inference as rules
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.inference import Inference, InferencePriority, InferenceStatus
from llm_incident_manager.domain.time import SECOND, Instant, micros
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import agents as translate

pb = edge_agent_service_pb2
USUAL_SECONDS = 30
UNDER_WAY = 256
"""Requests of one stream that have no result yet; more are read when one has."""


class InferenceHandlers:
    """Some methods of EdgeAgentService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {"StreamInference": self.stream, "SubmitBatch": self.batch}

    async def stream(
        self, requests: AsyncIterator[pb.StreamInferenceRequest], call: Call
    ) -> AsyncIterator[pb.StreamInferenceResponse]:
        """Results as they are there; of what waits for an agent that is away first that it does."""
        stream = _Stream(self, call)
        async for result in stream.run(requests):
            yield pb.StreamInferenceResponse(result=result)

    async def batch(self, request: pb.SubmitBatchRequest, call: Call) -> pb.SubmitBatchResponse:
        """What became of each request, in their order."""
        found = await asyncio.gather(*(self._once(each, call) for each in request.requests))
        return pb.SubmitBatchResponse(results=map(translate.inference_result, found))

    async def _once(self, given: edge_inference_pb2.InferenceRequest, call: Call) -> Inference:
        asked = await self.ask(given, call)
        return asked if await self.waits(asked) else await self._on.agents.desk.inferring.result(asked)

    async def ask(self, given: edge_inference_pb2.InferenceRequest, call: Call) -> Inference:
        """The request as it stands."""
        wanted = self._wanted(given, call)
        return await self._on.agents.desk.inferring.ask(call.caller, wanted)

    async def waits(self, asked: Inference) -> bool:
        """Whether it waits for an agent that is away."""
        if asked.status is not InferenceStatus.QUEUED or not rules.may_wait(asked.offline, asked.priority):
            return False
        return not await self._on.agents.desk.inferring.reachable(asked)

    async def result(self, asked: Inference) -> Inference:
        """The request once nothing more becomes of it, or its time is over."""
        return await self._on.agents.desk.inferring.result(asked)

    def _wanted(self, given: edge_inference_pb2.InferenceRequest, call: Call) -> Inference:
        now = self._on.clock.now()
        body = given.SerializeToString(deterministic=True)
        within = micros(given.timeout.ToTimedelta()) if given.HasField("timeout") else USUAL_SECONDS * SECOND
        return Inference(
            tenant=call.caller.tenant,
            request_id=given.request_id,
            digest=hashlib.sha256(body).digest(),
            subject=call.caller.subject,
            model_id=given.model_id,
            wanted_agent=given.agent_id,
            priority=InferencePriority(given.priority or InferencePriority.NORMAL),
            offline=given.allow_offline_queue,
            status=InferenceStatus.QUEUED,
            created_at=now,
            due_at=Instant(now + within),
            body=body,
        )


class _Stream:
    """One stream: each request has a task of its own, and results go out as they come."""

    def __init__(self, on: InferenceHandlers, call: Call) -> None:
        self._on = on
        self._call = call
        self._results: asyncio.Queue[edge_inference_pb2.InferenceResult | Exception | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(UNDER_WAY)

    async def run(
        self, requests: AsyncIterator[pb.StreamInferenceRequest]
    ) -> AsyncIterator[edge_inference_pb2.InferenceResult]:
        reader = asyncio.create_task(self._read(requests), name="inference-reader")
        try:
            while (item := await self._results.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[pb.StreamInferenceRequest]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                async for request in requests:
                    if found := self._call.check(request):
                        raise InvalidFields(found)
                    await self._room.acquire()
                    group.create_task(self._answer(request.request), name="inference")
        except ExceptionGroup as several:
            self._results.put_nowait(several.exceptions[0])
        else:
            self._results.put_nowait(None)

    async def _answer(self, given: edge_inference_pb2.InferenceRequest) -> None:
        try:
            asked = await self._on.ask(given, self._call)
            if await self._on.waits(asked):
                self._results.put_nowait(translate.inference_result(asked))
            self._results.put_nowait(translate.inference_result(await self._on.result(asked)))
        finally:
            self._room.release()
