"""Runs a verb through Hydra, and reports errors of users in one message."""

import importlib
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mds_lightning.cli.text_values import quote_text_values
from mds_lightning.cli.user_errors import WANTS_TRACEBACK, report_user_errors
from mds_lightning.commands.schema import PARAMETERS, register_schemas
from mds_lightning.commands.targets import hydra_targets
from mds_lightning.search.plugin import register_search
from mds_lightning.search.termination import EXIT_CODE, Termination


@dataclass(frozen=True)
class Job:
    """One verb as Hydra calls it. It is a plain record so that launchers can send it to other hosts.

    Attributes:
        verb: Module of `mds_lightning.commands` and the function in it.
        argv: The command as typed; Lightning's DDP and the provenance read it from `sys.argv`.
        conf: Folder of the configuration.
    """

    verb: str
    argv: tuple[str, ...]
    conf: Path

    def __call__(self, config: DictConfig) -> Any:
        """Run the verb; a result with a true `failed` ends the process with exit code 2."""
        sys.argv = list(self.argv)
        command = getattr(importlib.import_module(f"mds_lightning.commands.{self.verb}"), self.verb)
        quieten_libraries()
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            # A sweep counts failures and continues, or stops at the first one.
            return command(config)
        with report_user_errors(self.verb, self.conf):
            result = command(config)
        if getattr(result, "failed", False):
            raise SystemExit(2)
        return result


def run_verb(verb: str, overrides: Sequence[str], conf: Path) -> None:
    """Compose the configuration in `conf` and run `verb`.

    An error of the user ends in one message on standard error and exit code 2. Any other error is a bug and
    keeps its traceback, as all errors do with `HYDRA_FULL_ERROR=1`.

    Raises:
        SystemExit: With code 2 after an error of the user, 130 after Ctrl-C, 143 after SIGTERM.
    """
    os.environ[WANTS_TRACEBACK] = "0" if os.environ.get("HYDRA_FULL_ERROR", "0") in ("", "0") else "1"
    # Otherwise Hydra prints a summary of an error and exits; here the exception itself is needed.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register_schemas()
    register_search()
    job = Job(verb, (sys.argv[0], verb, *overrides), conf)
    with report_user_errors(verb, conf):
        sys.argv = [sys.argv[0], *quote_text_values(overrides, PARAMETERS[verb])]
    main = hydra.main(config_path=str(conf), config_name=verb, execution_whitelist=hydra_targets())
    try:
        with Termination(), report_user_errors(verb, conf):
            main(job)()
    except (KeyboardInterrupt, SystemExit) as leaving:
        code = leaving.code if isinstance(leaving, SystemExit) else 130
        if code not in (130, EXIT_CODE):
            raise
        sys.stderr.write(f"\nmds-lightning {verb}: stopped. The same command continues from here:\n")
        sys.stderr.write(f"  {shlex.join(['mds-lightning', *job.argv[1:]])}\n")
        raise SystemExit(code) from None
    finally:
        sys.argv = list(job.argv)


def quieten_libraries() -> None:
    """Silence informational messages of Lightning and of the S3 client; other warnings are shown once.

    Importing Lightning sets its levels and adds a handler: call this afterwards.
    """
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        library = logging.getLogger(name)
        library.setLevel(logging.WARNING)
        library.handlers.clear()
        library.propagate = True
    for name in ("botocore", "aiobotocore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for pattern in (
        ".*does not have many workers.*",
        ".*`srun` command is available.*",
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*number of training batches .* is smaller than the logging interval.*",
        ".*isinstance\\(treespec, LeafSpec\\).*",
        # A finished run is tested without the callbacks that trained it.
        ".*when using `ckpt_path`, callbacks used to create the checkpoint need to be provided.*",
    ):
        warnings.filterwarnings("ignore", pattern)
