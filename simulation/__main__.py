"""`python -m simulation SEEDS`: runs seeds and shows those that fail. Exit code 1 when one does, 2 on misuse."""

import argparse
import os
import sys
from time import perf_counter

from simulation import running


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    started, failed, done = perf_counter(), [], 0
    for outcome in running.outcomes(options.seeds, options.jobs):
        done += 1
        if options.digests:
            print(outcome.seed, outcome.digest, flush=True)
        if outcome.violations:
            failed.append(outcome.seed)
            print(running.told(outcome, options.trace), flush=True)
    names = f": {', '.join(map(str, failed))}" if failed else ""
    print(f"{done} seeds in {perf_counter() - started:.0f} s, {len(failed)} failed{names}")
    sys.exit(1 if failed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seeds", nargs="?", type=running.seeds, default="500", metavar="SEEDS", help="500, or 40..60")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes side by side")
    parser.add_argument("--trace", type=int, default=40, metavar="LINES", help="of the trace of a seed that fails")
    parser.add_argument("--digests", action="store_true", help="print the digest of each trace")
    return parser.parse_args()


if __name__ == "__main__":
    main()
