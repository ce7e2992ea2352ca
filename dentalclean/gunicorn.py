"""How gunicorn runs the web server, in every mode: `gunicorn -c python:dentalclean.gunicorn`."""

import os
import signal
from typing import Any

from dentalclean.embedded.leash import die_with_parent

wsgi_app = "dentalclean.wsgi:application"
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
graceful_timeout = 10
timeout = 60
keepalive = 5
preload_app = True
max_requests = 10_000
max_requests_jitter = 1_000
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # nosec B108
control_socket_disable = True
accesslog = None  # addresses of people and pages; the program logs what it must


def post_fork(server: Any, worker: Any) -> None:
    """Let no web process outlive a gunicorn that was killed."""
    die_with_parent(signal.SIGKILL)
