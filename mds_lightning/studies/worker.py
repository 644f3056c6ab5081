"""Which process works on a trial, and whether it surely no longer exists."""

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Worker:
    """One process on one machine, told apart from a later one with the same number.

    Attributes:
        host: Name of the machine.
        boot: What changes when the machine, or the container's view of processes, is another.
        pid: Process number.
        started: When the process began, in the kernel's own ticks; empty where there is no /proc.
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
        """Read back what `record` wrote."""
        return cls(**record)

    def record(self) -> dict[str, Any]:
        """Plain values, for a trial's user attribute."""
        return asdict(self)

    def is_gone(self) -> bool:
        """True only if the process lived on this machine and has ended; False where we cannot know."""
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
    """Identity of this boot and this namespace of process numbers (a container has its own)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Start time of a living process, None if there is none. Source: proc(5), /proc/pid/stat, field 22."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # A zombie has ended; only its parent has not asked for the exit code.
    return None if fields[0] in "ZX" else fields[19]
