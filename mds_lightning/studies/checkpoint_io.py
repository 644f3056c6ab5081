"""Checkpoints written atomically, and read as data from this machine."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import TorchCheckpointIO

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.models.torch_file import TorchFileError, read_torch_file


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint to a temporary file in its folder and rename it.

    Lightning (2.6.6) writes to the system's folder for temporary files and moves the file. If that folder is
    on another file system, as on many clusters, the file is copied, and a killed process or a full disk
    leaves an incomplete `last.ckpt`.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """See `lightning.fabric.plugins.CheckpointIO`.

        Raises:
            OSError: The disk is full, or the folder is not writable.
        """
        if storage_options is not None:
            raise TypeError("checkpoints are written without storage options")
        # Through memory: torch reports a full disk without an errno and without the name of the file.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with write_atomically(Path(path)) as temporary, temporary.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())

    def load_checkpoint(
        self,
        path: str | os.PathLike[str],
        map_location: Any | None = None,  # noqa: ARG002
        weights_only: bool | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Load a checkpoint to the CPU; nothing in it runs, and an address is never followed.

        Raises:
            TorchFileError: The file is damaged, or holds more than tensors and plain values.
            FileNotFoundError: There is no such file.
        """
        file = Path(path)
        if not file.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
        content = read_torch_file(file)
        if not isinstance(content, dict):
            raise TorchFileError(f"{file} holds a {type(content).__name__}, not a checkpoint")
        return content

    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Remove the file of a checkpoint on this machine, if it exists."""
        Path(path).unlink(missing_ok=True)
