"""Run the benches: `python -m bench [--only NAME] [-n N]`."""

import argparse
import importlib
import subprocess
import sys

from bench.house import servers_of_its_own, settings_of_its_own

# Module and the number of people when none is given. A process each: memory is measured too.
BENCHES = {
    "purge": ("bench.purge", 50_000),
    "due": ("bench.due", 100_000),
    "import": ("bench.importing", 100_000),
    "gate": ("bench.gate", 10_000),
    "audience": ("bench.audience", 100_000),
}


def main() -> int:
    """Run one bench here, or all of them one after another."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=BENCHES, help="run this one only")
    parser.add_argument("-n", type=int, help="number of people")
    options = parser.parse_args()
    if options.only is None:
        size = [] if options.n is None else ["-n", str(options.n)]
        runs = [
            subprocess.run([sys.executable, "-m", "bench", "--only", name, *size], check=False)
            for name in BENCHES
        ]
        return max(run.returncode for run in runs)
    module, usual = BENCHES[options.only]
    with settings_of_its_own(), servers_of_its_own():
        importlib.import_module(module).run(options.n or usual)
    return 0


if __name__ == "__main__":
    sys.exit(main())
