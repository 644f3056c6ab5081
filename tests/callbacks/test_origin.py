"""A run continues from its own checkpoint only."""

from pathlib import Path

import lightning
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel

from mds_lightning.callbacks.origin import OriginRecord
from mds_lightning.studies.checkpoint_origin import describe_origin, read_origin
from mds_lightning.studies.recorded_files import AlteredRunError

FACTS = {"seed": 0, "fold": 1, "cohort_hash": "c", "folds_hash": "f"}
SETTINGS = {"study": "a", "variant": "resnet18"}


def fit(folder: Path, origin: dict[str, object], epochs: int, checkpoint: Path | None = None) -> None:
    trainer = lightning.Trainer(
        default_root_dir=folder,
        max_epochs=epochs,
        limit_train_batches=1,
        limit_val_batches=0,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[OriginRecord(origin)],
    )
    trainer.fit(BoringModel(), ckpt_path=checkpoint)
    trainer.save_checkpoint(folder / f"{epochs}.ckpt")


@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*isinstance.treespec.*")
def test_a_checkpoint_of_another_fold_is_not_continued(tmp_path: Path) -> None:
    origin = describe_origin(SETTINGS, FACTS)
    fit(tmp_path, origin, 1)
    assert read_origin(tmp_path / "1.ckpt") == origin
    renamed = describe_origin({"study": "b", "variant": "resnet18"}, FACTS)
    fit(tmp_path, renamed, 2, tmp_path / "1.ckpt")
    for key, value in (("fold", 0), ("folds_hash", "g")):
        other = describe_origin(SETTINGS, FACTS | {key: value})
        with pytest.raises(AlteredRunError, match=rf"1\.ckpt is the checkpoint of another run \({key} "):
            fit(tmp_path, other, 3, tmp_path / "1.ckpt")
