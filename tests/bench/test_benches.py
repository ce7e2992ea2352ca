"""The benches run at small size; what they measure is not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.__main__ import BENCHES
from dentalclean.embedded import servers
from dentalclean.embedded.places import House

ALSO = {
    *("purge_longest", "purge_memory", "purge_effort"),
    *("due_scattered", "import_memory", "ledger_bulk"),
    *("gate_bulk", "gate_neighbours", "audience_memory"),
    *("extract_collection", "extract_pdf", "extract_large_memory"),
}

# One needs what only `make bench` installs, and these take too long for the suite.
TOO_LONG = {"assist", "portal_during_purge", "wipe", "workers"}
RUN = sorted(BENCHES.keys() - TOO_LONG)


def test_each_bench_prints_both_sides_and_a_line_for_programs(tmp_path: Path) -> None:
    surroundings = {key: value for key, value in os.environ.items() if "DENTALCLEAN" not in key}
    lines = []
    small = ["-n", "200", "--rounds", "1", "--folder", str(tmp_path)]
    for name in RUN:  # a process each, as when all are run; the servers' folder is kept for speed
        done = subprocess.run(
            [sys.executable, "-m", "bench", *small, "--only", name],
            capture_output=True,
            text=True,
            check=False,
            env=surroundings,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {*RUN, *ALSO} <= {line["bench"] for line in lines}
    servers.remove(House(tmp_path))
    for line in lines:
        assert line.keys() == {"bench", "n", "ours", "reference", "ratio", "goal"}
        assert line["n"] == 200
        assert line["ratio"] > 0
