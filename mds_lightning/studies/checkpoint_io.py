"""Checkpoints written atomically."""

import io
import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import TorchCheckpointIO

from mds_lightning.cohort.atomic_file import write_atomically


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
