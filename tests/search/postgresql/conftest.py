"""A PostgreSQL server of the test's own, from the system's packages, on loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def find_binaries() -> Path | None:
    """Debian keeps them out of the PATH, one folder a version."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(installed[-1]) if installed else shutil.which("initdb")
    return Path(found).parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of an empty server; it refuses to run as root, so root lends it the account `nobody`."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql (see .ci/services)")
    pytest.importorskip("psycopg2", reason="the driver is in the extra `hpc`")
    as_root = os.geteuid() == 0
    user = ["runuser", "-u", "nobody", "--"] if as_root else []
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    if as_root:
        shutil.chown(home, "nobody")
    data, port = home / "data", free_port()
    initdb = [*user, binaries / "initdb", "-D", data, "-U", "mds", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
    control = [*user, binaries / "pg_ctl", "-D", data, "-w", "-l", home / "log"]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd="/")
    yield f"postgresql+psycopg2://mds@127.0.0.1:{port}"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd="/")
    shutil.rmtree(home, ignore_errors=True)
