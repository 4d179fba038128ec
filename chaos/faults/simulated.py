"""Fault 25: every fault at once, on virtual time, from a seed."""

import asyncio
import re
import sys

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from tools import shell

_SUM = re.compile(r"(\d+) seeds in \S+ s, (\d+) failed")


@fault(25, "deterministic simulation: crashes, drops, delays, duplicates between any two steps",
       limit="no invariant violated by any seed")  # fmt: skip
async def simulated(run: Run) -> Outcome:
    """Runs the simulation's own seeds; those that fail are named, and `make simulate SEED=…` runs one again."""
    command = [sys.executable, "-m", "simulation", str(run.size(20, 500))]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=shell.ROOT, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    text = out.decode()
    summed = _SUM.search(text)
    if summed is None:
        return Outcome(wrong=[f"the simulation says: {text[-500:]}"])
    failed = int(summed[2])
    figures = [Figure("seeds", int(summed[1])), Figure("failed", failed, most=0)]
    return Outcome(figures, wrong=[text[-800:]] if failed or process.returncode else [])
