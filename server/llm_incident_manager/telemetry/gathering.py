"""The metrics of several workers on one page: each sample bears its worker's number."""

import json
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

WORKER = "worker"


def told(registry: CollectorRegistry) -> bytes:
    """What a registry holds, for another process."""
    families = [
        (family.name, family.documentation, family.type, family.unit, [sample[:3] for sample in family.samples])
        for family in registry.collect()
    ]
    return json.dumps(families).encode()  # knows infinity, which a sum may come to


class Together:
    """What workers have told, as a registry for the encoders; and what belongs to none of them."""

    def __init__(self, workers: Mapping[int, bytes | None], common: CollectorRegistry, up: str) -> None:
        """`up` names the metric that says which workers have answered."""
        self._workers = workers
        self._common = common
        self._up = up

    def collect(self) -> Iterator[Metric]:
        """All families, each once."""
        found: dict[str, Metric] = {}
        for number, said in self._workers.items():
            for name, text, sort, unit, samples in json.loads(said) if said is not None else ():
                family = found.setdefault(name, Metric(name, text, sort, unit))
                _add(family, samples, str(number))
        yield from found.values()
        yield self._answered()
        yield from self._common.collect()

    def _answered(self) -> Metric:
        family = GaugeMetricFamily(self._up, "1 for each worker that has told its metrics, else 0.", labels=[WORKER])
        for number, said in self._workers.items():
            family.add_metric([str(number)], 0 if said is None else 1)
        return family


def _add(family: Metric, samples: Iterable[tuple[str, dict[str, str], float]], worker: str) -> None:
    for name, labels, value in samples:
        family.add_sample(name, {WORKER: worker, **labels}, value)


class Chained:
    """Two registries as one."""

    def __init__(self, *registries: CollectorRegistry) -> None:
        """In this order."""
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        """The families of all."""
        for registry in self._registries:
            yield from registry.collect()
