"""Runs many seeds, on several processes where wanted, and tells what somebody needs to know of one that failed."""

import multiprocessing
from argparse import ArgumentTypeError
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from io import StringIO

from llm_incident_manager.telemetry import logs
from simulation.run import Outcome, run

CHUNK = 5


def seeds(text: str) -> range:
    """The seeds that a number (so many from 1 on) or a range `first..last` names. Raises ArgumentTypeError."""
    first, dots, last = text.partition("..")
    try:
        found = range(int(first), int(last) + 1) if dots else range(1, int(text) + 1)
    except ValueError:
        found = range(0)
    if not found:
        raise ArgumentTypeError(f"{text!r} names no seeds: give how many, as 500, or a range, as 40..60")
    return found


def outcomes(wanted: range, jobs: int) -> Iterator[Outcome]:
    """The outcomes in the order of the seeds. Processes are spawned: one that has loaded grpc must not be forked."""
    if jobs <= 1 or len(wanted) <= CHUNK:
        _be_quiet()
        yield from map(run, wanted)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_be_quiet) as pool:
        yield from pool.map(run, wanted, chunksize=CHUNK)


def told(outcome: Outcome, lines: int) -> str:
    """What does not hold, what happened last, and how to see more."""
    return "\n".join(
        (
            f"seed {outcome.seed} failed:",
            *(f"  {violation}" for violation in outcome.violations),
            f"the last {lines} lines of its trace:",
            *(f"  {line}" for line in outcome.trace[-lines:]),
            f"run it again with: make simulate SEED={outcome.seed} ARGS='--trace 400'",
        )
    )


def _be_quiet() -> None:
    """The product's own log lines go nowhere: a run has its trace."""
    logs.configure("critical", "json", StringIO())
