"""Run the embedded servers, or the whole house.

python -m dentalclean.embedded servers    PostgreSQL and Valkey, for development
"""

import signal
import sys
import time
from pathlib import Path

from dentalclean.embedded import servers
from dentalclean.embedded.places import House, HouseError


def main(arguments: list[str]) -> int:
    house = House(Path("var").resolve())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with servers.running(house, durable=True):
        print(
            f"PostgreSQL and Valkey are up; sockets in {house.sockets}. Stop with Ctrl-C.",
            flush=True,
        )
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HouseError as problem:
        sys.exit(str(problem))
