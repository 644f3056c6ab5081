"""The trainer that predicts with the model of a finished run, from the stored settings as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import lightning

from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO

Precision = Literal["32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true", "64-true"]
Accelerator = Literal["auto", "cpu", "gpu", "cuda", "mps"]

#: Lightning's other spellings of a precision, which a study may have been trained with.
_SPELLINGS = {
    "32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed", "64": "64-true",
}  # fmt: skip


@dataclass(frozen=True)
class PredictionTrainerParameters:
    """The stored keys of `trainer` that predictions depend on. All others are ignored, also `_target_`.

    Attributes:
        accelerator: Device of the model.
        precision: Precision of the forward pass.
        deterministic: Whether only deterministic algorithms are used; `warn`: where there is one.
        limit_test_batches: Number (or fraction) of the batches that are explained; None: all.
        limit_predict_batches: Number (or fraction) of the batches that are predicted; None: all.
    """

    accelerator: Accelerator = "auto"
    precision: Precision = "32-true"
    deterministic: bool | Literal["warn"] | None = None
    limit_test_batches: int | float | None = None
    limit_predict_batches: int | float | None = None

    def __post_init__(self) -> None:
        for key, choices in (("accelerator", get_args(Accelerator)), ("precision", get_args(Precision))):
            value = getattr(self, key)
            if not (isinstance(value, str) and value in choices):
                raise ValueError(f"trainer.{key} is {value!r}: choose one of {', '.join(choices)}")
        if not (self.deterministic is None or self.deterministic in (True, False, "warn")):
            raise ValueError(f"trainer.deterministic is {self.deterministic!r}: choose true, false or warn")
        for key in ("limit_test_batches", "limit_predict_batches"):
            value = getattr(self, key)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (is_number and value >= 0):
                raise ValueError(f"trainer.{key} is {value!r}: give a number of batches, or a fraction")

    @classmethod
    def from_settings(
        cls, stored: Mapping[str, Any], accelerator: str | None = None
    ) -> "PredictionTrainerParameters":
        """Read the section `trainer` of stored settings.

        Args:
            stored: The section.
            accelerator: Replaces the stored one.

        Raises:
            ValueError: A value is not one that Lightning accepts.
        """
        known = {one.name: stored[one.name] for one in fields(cls) if one.name in stored}
        if "precision" in known:
            known["precision"] = _SPELLINGS.get(str(known["precision"]), known["precision"])
        if accelerator is not None:
            known["accelerator"] = accelerator
        return cls(**known)


def build_prediction_trainer(
    parameters: PredictionTrainerParameters,
    directory: Path,
    callbacks: Sequence[lightning.Callback],
    plugins: Sequence[Any] = (),
) -> lightning.Trainer:
    """A trainer that tests and predicts on one device, and writes nothing itself.

    Args:
        parameters: From the stored settings.
        directory: Directory of the run.
        callbacks: What is done with the predictions.
        plugins: Further plugins of Lightning.
    """
    return lightning.Trainer(
        accelerator=parameters.accelerator,
        precision=parameters.precision,
        deterministic=parameters.deterministic,
        limit_test_batches=parameters.limit_test_batches,
        limit_predict_batches=parameters.limit_predict_batches,
        # Each image is predicted once: one device is enough, also for a run trained on several.
        devices=1,
        num_nodes=1,
        strategy="auto",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=str(directory),
        plugins=[AtomicCheckpointIO(), *plugins],
    )
