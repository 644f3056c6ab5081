"""What a checkpoint records about the fold that it was trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO

#: Key of a checkpoint.
ORIGIN = "origin"
#: Facts that must be the same wherever a checkpoint is used. The name of a study may change.
_BINDING = ("seed", "fold", "cohort_hash", "folds_hash")


def describe_origin(settings: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The origin that a checkpoint carries: plain values.

    Args:
        settings: Settings of the run.
        facts: What its provenance records.
    """
    names = {"study": settings["study"], "variant": settings["variant"]}
    return names | {key: facts[key] for key in _BINDING}


def read_origin(checkpoint: Path) -> dict[str, Any]:
    """The origin that a checkpoint carries; empty for checkpoints of earlier versions.

    Raises:
        TorchFileError: The file is damaged.
    """
    return dict(AtomicCheckpointIO().load_checkpoint(checkpoint).get(ORIGIN, {}))


def list_differences(origin: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Binding facts of a checkpoint that differ from those of a run, as text; empty for a fitting checkpoint.

    Args:
        origin: What the checkpoint carries; empty for checkpoints of earlier versions, which fit any run.
        facts: What the run's provenance records.
    """
    return [
        f"{key} {origin[key]} in the checkpoint, {facts[key]} in the run"
        for key in _BINDING
        if key in origin and key in facts and origin[key] != facts[key]
    ]
