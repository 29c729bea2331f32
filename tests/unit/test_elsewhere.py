"""What only Linux has must be missed by nobody elsewhere: every module is read, and a queue closed, without it."""

import subprocess
import sys

PROGRAM = """
import importlib, os, pkgutil, signal, socket, select, sys
from prometheus_client import REGISTRY

def read_all():
    found = [module.name for name in ("moderation", "classifiers")
             for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}.")]
    for name in found:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    return len(found)

read_all()  # brings in every library, as it is on this system

for module, names in {
    os: ["pidfd_open", "sched_getaffinity", "sched_setaffinity", "eventfd", "memfd_create", "splice", "getrandom",
         "posix_fadvise", "posix_fallocate", "sendfile", "setns", "unshare", "copy_file_range", "O_TMPFILE", "O_PATH"],
    signal: ["pidfd_send_signal"],
    socket: ["TCP_QUICKACK", "TCP_USER_TIMEOUT", "TCP_DEFER_ACCEPT", "SO_PEERCRED", "SOCK_CLOEXEC", "SOCK_NONBLOCK"],
    select: ["epoll", "poll"],
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "darwin"
REGISTRY._names_to_collectors.clear()
REGISTRY._collector_to_names.clear()
for name in [name for name in sys.modules if name.partition(".")[0] in ("moderation", "classifiers")]:
    del sys.modules[name]
count = read_all()
worker = importlib.import_module("moderation.worker")
listening = worker.listening_socket("127.0.0.1", 0)
listening.listen()
with socket.create_connection(listening.getsockname()):
    worker._hear_no_knock(listening)
    (knocked,) = worker._accept_all(listening)
    knocked.close()
socket.create_connection(listening.getsockname(), timeout=5).close()  # no filter there: a queue of none takes one in
print(count)
"""


def test_no_module_needs_what_linux_alone_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200
