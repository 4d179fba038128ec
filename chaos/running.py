"""Runs rows one after the other. Whatever a driver raises is the row's failure, never the suite's end."""

import asyncio
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from chaos.row import Fault, Outcome, Row, Verdict
from chaos.run import Databases, Profile, Run

MOST_SECONDS = {Profile.CI: 120.0, Profile.LONG: 1_800.0, Profile.FULL: 7_200.0}
"""No row takes longer; one that does has failed."""

MOST_TOLD = 1_000
"""Characters of a failure that a row tells: how it begins, and above all how it ends."""


async def rows(chosen: Sequence[Fault], profile: Profile, seed: int) -> AsyncIterator[Row]:
    """Runs the faults and gives each row as it is known."""
    databases = Databases()
    try:
        for fault in chosen:
            yield await _row(fault, profile, f"{seed}/{fault.name}", databases)
    finally:
        await databases.close()


async def _row(fault: Fault, profile: Profile, seed: str, databases: Databases) -> Row:
    if fault.driver is None:
        return Row(fault, seed, 0.0, Outcome(), Verdict.LATER)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        try:
            async with asyncio.timeout(MOST_SECONDS[profile]):
                outcome = await fault.driver(Run(profile, seed, Path(folder), databases))
        except Exception as error:  # noqa: BLE001 - whatever it is, the row has failed and says so
            outcome = Outcome(wrong=[_told(error)])
    return Row(fault, seed, time.monotonic() - started, outcome, outcome.verdict)


def _told(error: BaseException) -> str:
    """An error with its cause and the place in the driver where it came from."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "chaos" in frame.filename]
    where = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    notes = " ".join(getattr(error, "__notes__", ()))
    text = f"{type(error).__name__}{where}: {error} {notes}".strip()
    return text if len(text) <= MOST_TOLD else f"{text[:200]} … {text[200 - MOST_TOLD :]}"
