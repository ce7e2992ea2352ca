"""Run the whole house, its servers alone, or a command beside it.

python -m dentalclean.embedded run              everything; PORT=8001 for another port
python -m dentalclean.embedded servers          PostgreSQL and Valkey alone, for development
python -m dentalclean.embedded manage COMMAND   one of Django's commands in the running house
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from dentalclean.embedded import servers
from dentalclean.embedded.places import House, HouseError
from dentalclean.embedded.supervisor import Supervisor, environment, owners_environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
OF_THE_OWNER = {"migrate", "publish_policy", "restore_gate"}  # commands; all others work as the app


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


def port_from_environment() -> int:
    """Read PORT. Raises HouseError."""
    value = os.environ.get("PORT", "").strip() or "8000"
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise HouseError(
            "Set PORT to a number between 1 and 65535, for example: PORT=8001 make run"
        )
    return int(value)


def serve(house: House) -> int:
    """Keep the two servers up until someone asks them to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with servers.running(house, durable=True):
        say(f"PostgreSQL and Valkey are up; sockets in {house.sockets}. Stop with Ctrl-C.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


def manage(house: House, port: int, arguments: list[str]) -> int:
    """Become one of Django's commands."""
    os.chdir(BASE_DIR)
    command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    surroundings = owners_environment if set(arguments[:1]) & OF_THE_OWNER else environment
    os.execve(command[0], command, surroundings(house, port))  # noqa: S606


def main() -> int:
    """Do what the arguments say; say in one sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m dentalclean.embedded")
    parser.add_argument("what", choices=("run", "servers", "manage"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    wanted = parser.parse_args()
    os.umask(0o077)
    house = House(Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").resolve())
    try:
        port = port_from_environment()
        if wanted.what == "manage":
            return manage(house, port, wanted.arguments)
        if wanted.what == "servers":
            return serve(house)
        os.chdir(BASE_DIR)
        return Supervisor(house, port, say).run()
    except HouseError as problem:
        print(problem, file=sys.stderr, flush=True)
    except PermissionError as problem:
        print(
            f"{problem.filename} belongs to someone else; start as that user, or name another "
            "folder in DATA_DIR.",
            file=sys.stderr,
            flush=True,
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
