"""`python -m chaos [--profile ci|long|full] [--faults 1,12] [--seed N]`: exit code 1 if a row failed, 2 on misuse."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos import registry, running, scorecard
from chaos.row import Fault, Row, Verdict
from chaos.run import Profile

SEED = 20261122


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # it remarks on each process that is started,
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # and must leave the file descriptors of those alone
    try:
        chosen = registry.chosen(options.faults)
    except LookupError as unknown:
        print(f"error: {unknown.args[0]}", file=sys.stderr)
        sys.exit(2)
    if options.list:
        print("\n".join(f"{fault.number:>3} {fault.part:<12} {fault.title}" for fault in chosen))
        return
    found = asyncio.run(_run(chosen, options.profile, options.seed, options.out))
    counted = ", ".join(f"{sum(row.verdict is verdict for row in found)} {verdict}" for verdict in Verdict)
    print(f"{counted}; {sum(row.seconds for row in found):.0f} s; {os.path.relpath(options.out)}")
    sys.exit(any(row.verdict is Verdict.FAILED for row in found))


async def _run(chosen: Sequence[Fault], profile: Profile, seed: int, out: Path) -> list[Row]:
    found: list[Row] = []
    print(f"profile {profile}, seed {seed}\n{scorecard.heading()}", end="", flush=True)
    async for row in running.rows(chosen, profile, seed):
        found.append(row)
        print(scorecard.table(row), end="", flush=True)
        scorecard.write(out, found, profile, seed)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.LONG)
    parser.add_argument("--faults", type=_numbers, default=(), metavar="1,12", help="only these; all when left out")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same schedules")
    parser.add_argument("--out", type=Path, default=scorecard.FILE, help="where the scorecard is written")
    parser.add_argument("--list", action="store_true", help="only show which faults there are")
    return parser.parse_args()


def _numbers(text: str) -> Sequence[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers like 1,12") from None


if __name__ == "__main__":
    main()
