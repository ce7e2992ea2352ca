"""Run the benches: `python -m bench [--only NAME ...] [-n N] [--rounds N] [--folder PATH]`."""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from bench.house import servers_of_its_own, settings_of_its_own

# Module, people and turns when none are given. A process each: memory is measured too.
BENCHES = {
    "purge": ("bench.purge", 50_000, 3),
    "due": ("bench.due", 100_000, 3),
    "assist": ("bench.assist", 20_000, 1),
    "workers": ("bench.workers", 50_000, 2),
    "portal_during_purge": ("bench.portal_during_purge", 50_000, 2),
    "kill_points": ("bench.kill_points", 1_000, 10),
    "wipe": ("bench.wipe", 20_000, 1),
    "import": ("bench.importing", 100_000, 1),
    "gate": ("bench.gate", 10_000, 15),
    "ledger": ("bench.ledger", 10_000, 10),
    "audience": ("bench.audience", 100_000, 7),
    "extract": ("bench.extract", 10_000, 7),
    "extract_large": ("bench.extract_large", 1_000, 3),
}


def main() -> int:
    """Run the named benches on the same servers, or each of all in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHES, help="run these only")
    parser.add_argument("-n", type=int, help="number of people")
    parser.add_argument("--rounds", type=int, help="turns of each side; the fastest counts")
    parser.add_argument(
        "--folder", type=Path, help="keep servers and worlds here, to build no world twice a day"
    )
    options = parser.parse_args()
    if options.only is None:
        runs = [
            subprocess.run(
                [sys.executable, "-m", "bench", *sys.argv[1:], "--only", name], check=False
            )
            for name in BENCHES
        ]
        return max(run.returncode for run in runs)
    with settings_of_its_own(options.folder), servers_of_its_own():
        for name in options.only:
            module, people, rounds = BENCHES[name]
            importlib.import_module(module).run(options.n or people, options.rounds or rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
