"""Identity of a process, and whether the process has ended."""

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Worker:
    """One process on one machine, distinct from a later process with the same id.

    Attributes:
        host: Name of the machine.
        boot: Identity of the boot and of the namespace of process ids (a container has its own).
        pid: Process id.
        started: Start time of the process in clock ticks of the kernel; empty without /proc.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> "Worker":
        """This process."""
        return cls(socket.gethostname(), _boot(), os.getpid(), _started(os.getpid()) or "")

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Worker":
        """The worker of a `record`."""
        return cls(**record)

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def is_gone(self) -> bool:
        """Whether the process ran on this machine and has ended; False for other machines."""
        if (self.host, self.boot) != (socket.gethostname(), _boot()):
            return False
        if self.started:
            return _started(self.pid) != self.started
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def __str__(self) -> str:
        """`host, process 123`."""
        return f"{self.host}, process {self.pid}"


def _boot() -> str:
    """Identity of this boot and this namespace of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Start time of a running process, None if it has ended. Source: proc(5), /proc/pid/stat, field 22."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # A zombie has ended; its parent has not read its exit code yet.
    return None if fields[0] in "ZX" else fields[19]
