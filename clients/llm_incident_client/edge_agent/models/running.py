"""Runs models: the urgent first, few at a time, each request once, and nothing ordinary on a machine that is busy."""

import asyncio
import heapq
import itertools
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Protocol

from google.protobuf.duration_pb2 import Duration

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.resources import Resources

ENTRY_POINTS = "llm_edge_agent.models"
"""Group of entry points: a model's id to a callable without arguments that makes it."""

_REMEMBERED = 1_000  # results, so that a request that comes again is not run again
_LOOK_AGAIN = 0.25  # seconds until a busy machine is looked at again
_DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model made of an input."""

    output: str
    scores: Mapping[str, float] = field(default_factory=dict)


class Model(Protocol):
    """Something that makes a text, or scores, of a text."""

    async def run(self, text: str, parameters: Mapping[str, str]) -> Answer:
        """Raises ValueError for what it cannot take. Long computations belong into a thread."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """How much of the machine models may take: percent of processors and memory in use, runs at a time, requests that
    wait. Above a percentage only urgent requests (HIGH, CRITICAL) are run; the others wait as long as they may."""

    cpu_percent: float = 80.0
    memory_percent: float = 80.0
    at_a_time: int = 2
    waiting: int = 100


def is_run_now(priority: int, resources: Resources, limits: ModelLimits) -> bool:
    """Whether a request of this urgency is run on a machine that is so busy."""
    if _rank(priority) <= msg.InferencePriority.INFERENCE_PRIORITY_HIGH:
        return True
    return resources.cpu_percent < limits.cpu_percent and resources.memory_percent < limits.memory_percent


def _rank(priority: int) -> int:
    return priority or msg.InferencePriority.INFERENCE_PRIORITY_NORMAL


@dataclass(order=True, slots=True)
class _Waiting:
    rank: int
    number: int
    request: msg.InferenceRequest = field(compare=False)
    until: float = field(compare=False)


class ModelRunner:
    """Takes requests and gives results to `answer`, exactly one for each request."""

    def __init__(
        self,
        models: Mapping[str, Model],
        answer: Callable[[msg.InferenceResult], None],
        resources: Callable[[], Resources],
        limits: ModelLimits | None = None,
    ) -> None:
        """`resources` tells how busy the machine is; it is asked before each run."""
        self.models = dict(models)
        self.limits = limits or ModelLimits()
        self._answer = answer
        self._resources = resources
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._known: OrderedDict[str, msg.InferenceResult | None] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def active(self) -> int:
        """Requests that are run."""
        return len(self._running)

    @property
    def queued(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    def ask(self, request: msg.InferenceRequest) -> None:
        """Takes a request. One that was taken before is answered with the result it had, if it has one."""
        if request.request_id in self._known:
            known = self._known[request.request_id]
            if known is not None:
                self._answer(known)
            return
        self._known[request.request_id] = None
        if request.model_id not in self.models:
            names = ", ".join(sorted(self.models)) or "none"
            self._fail(request, f"this agent has no model {request.model_id!r}; it has: {names}")
        elif len(self._waiting) >= self.limits.waiting:
            self._fail(request, f"{self.limits.waiting} requests wait already")
        else:
            timeout = request.timeout.ToNanoseconds() / 1e9 if request.HasField("timeout") else _DEFAULT_TIMEOUT
            until = asyncio.get_running_loop().time() + timeout
            item = _Waiting(_rank(request.priority), next(self._numbers), request, until)
            heapq.heappush(self._waiting, item)
            self._look()

    def limit(self, limits: ModelLimits) -> None:
        """New limits, from the next run on."""
        self.limits = limits

    async def stop(self) -> None:
        """Cancels what runs; what waited is answered as failed."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        for item in self._waiting:
            self._fail(item.request, "the agent ended")
        self._waiting.clear()

    def _look(self) -> None:
        """Starts what may be started, and gives up what has waited too long."""
        now = asyncio.get_running_loop().time()
        for item in [one for one in self._waiting if one.until <= now]:
            self._waiting.remove(item)
            self._fail(item.request, "its time was over before it could be run: the machine is busy")
        heapq.heapify(self._waiting)
        while self._waiting and len(self._running) < self.limits.at_a_time:
            if not is_run_now(self._waiting[0].rank, self._resources(), self.limits):
                break
            item = heapq.heappop(self._waiting)
            task = asyncio.create_task(self._run(item), name=f"model-{item.request.model_id}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        if self._waiting and (self._timer is None or self._timer.when() <= now):
            self._timer = asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._look)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            self._look()

    async def _run(self, item: _Waiting) -> None:
        loop, request = asyncio.get_running_loop(), item.request
        began = loop.time()
        try:
            async with asyncio.timeout_at(item.until):
                answer = await self.models[request.model_id].run(request.input, request.parameters)
        except TimeoutError:
            self._fail(request, "the model did not answer in time")
            return
        except asyncio.CancelledError:
            self._fail(request, "the agent ended")
            raise
        except Exception as error:  # noqa: BLE001  # a plug-in's error is its answer
            self._fail(request, f"the model failed: {str(error) or type(error).__name__}"[:1000])
            return
        latency = Duration()
        latency.FromNanoseconds(int((loop.time() - began) * 1e9))
        status = msg.InferenceStatus.INFERENCE_STATUS_COMPLETED
        result = msg.InferenceResult(
            request_id=request.request_id, status=status, output=answer.output, scores=answer.scores, latency=latency
        )
        self._done(result)

    def _fail(self, request: msg.InferenceRequest, error: str) -> None:
        status = msg.InferenceStatus.INFERENCE_STATUS_FAILED
        self._done(msg.InferenceResult(request_id=request.request_id, status=status, error=error))

    def _done(self, result: msg.InferenceResult) -> None:
        self._known[result.request_id] = result
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self._answer(result)


def installed(names: Collection[str] | None = None) -> dict[str, Model]:
    """The models that installed packages offer; only those named when given. Raises what loading raises."""
    return {one.name: one.load()() for one in entry_points(group=ENTRY_POINTS) if names is None or one.name in names}
