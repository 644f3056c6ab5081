"""A SLURM cluster of one node, from Debian's packages, private to the test session and on loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

#: Worked at first start on Debian 12 (SLURM 22.05). More processors than there are, so that nothing queues.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "squeue", "sinfo")


@dataclass(frozen=True)
class Slurm:
    """The commands of the cluster."""

    configuration: Path

    def ask(self, *command: str) -> str:
        environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def queue(self) -> list[str]:
        return self.ask("squeue", "--noheader", "--array", "--format=%i %T").splitlines()

    def start_again_until(self, job: str, condition) -> None:
        """Wait; SLURM lets a job that was queued again rest for two minutes, which is cut short.

        Not to nothing: a node takes no credential of the second in which it revoked the job's last one.
        """
        self.wait_until(lambda: f"{job} PENDING" in self.queue(), seconds=60)
        time.sleep(2)

        def started() -> bool:
            with suppress(subprocess.CalledProcessError):  # it runs already
                self.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
            return condition()

        self.wait_until(started, seconds=90)

    def wait_until(self, condition, seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"still waiting; the queue: {self.queue()}"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"SLURM is not installed ({', '.join(missing)} missing): see .ci/services")
    if os.geteuid() != 0:
        pytest.skip("a SLURM node is started as root only")
    pytest.importorskip("submitit", reason="the launcher is in the extra `hpc`")
    home = Path(tempfile.mkdtemp(prefix="slurm-"))
    home.chmod(0o755)  # munge trusts no folder that others write to
    for folder in ("state", "spool"):
        (home / folder).mkdir()
    host = socket.gethostname()
    controller_port, node_port = free_ports(2)
    configuration = home / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(home=home, host=host, controller_port=controller_port, node_port=node_port)
    )
    key = home / "munge.key"
    key.write_bytes(os.urandom(64))
    key.chmod(0o400)
    files = {"key-file": key.name, "socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log",
             "seed-file": "munge.seed"}  # fmt: skip
    daemons = (
        ["munged", "--foreground", *(f"--{option}={home / name}" for option, name in files.items())],
        ["slurmctld", "-D", "-f", str(configuration)],
        ["slurmd", "-D", "-f", str(configuration), "-N", host],
    )
    cluster = Slurm(configuration)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(configuration))
        for command in daemons:
            stack.callback(
                stop, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            cluster.wait_until((home / "munge.socket").exists, seconds=90)
        cluster.wait_until(lambda: is_idle(cluster), seconds=120)
        yield cluster
        subprocess.run(["scancel", "--user=root", "--signal=KILL"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def is_idle(cluster: Slurm) -> bool:
    try:
        return "idle" in cluster.ask("sinfo", "--noheader", "--format=%t")
    except subprocess.CalledProcessError:
        return False


def stop(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
