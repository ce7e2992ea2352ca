"""The benches run at small size; what they measure is not judged here."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

from bench.__main__ import BENCHES

ALSO = {
    *("purge_longest", "purge_memory", "purge_effort"),
    *("due_scattered", "import_memory", "ledger_bulk"),
    *("gate_bulk", "gate_neighbours", "audience_memory"),
}

# django-gdpr-assist is there only where `make bench` has been.
WITHOUT = set() if find_spec("gdpr_assist") else {"assist"}
RUN = sorted(BENCHES.keys() - WITHOUT)


def test_each_bench_prints_both_sides_and_a_line_for_programs() -> None:
    surroundings = {key: value for key, value in os.environ.items() if "DENTALCLEAN" not in key}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "-n", "200", "--rounds", "1", "--only", *RUN],
        capture_output=True,
        text=True,
        check=False,
        env=surroundings,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {*RUN, *ALSO} <= {line["bench"] for line in lines}
    for line in lines:
        assert line.keys() == {"bench", "n", "ours", "reference", "ratio", "goal"}
        assert line["n"] == 200
        assert line["ratio"] > 0
