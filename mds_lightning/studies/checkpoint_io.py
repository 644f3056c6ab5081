"""Checkpoints that are there whole or not at all."""

import io
import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import TorchCheckpointIO

from mds_lightning.cohort.atomic_file import write_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint beside its place and rename it.

    Lightning's own (2.6.6) writes to the folder for temporary files and moves it: where that is another file
    system, as on many clusters, moving means copying, and a process that is killed or a disk that fills up in
    the meantime leaves half a file under the name of `last.ckpt`.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """See `lightning.fabric.plugins.CheckpointIO`.

        Raises:
            OSError: The disk is full, or may not be written.
        """
        if storage_options is not None:
            raise TypeError("checkpoints are written without storage options")
        # Through memory: torch tells of a full disk in its own words, and without the name of the file.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with write_atomically(Path(path)) as temporary, temporary.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
