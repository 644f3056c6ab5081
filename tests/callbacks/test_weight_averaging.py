"""The weights that a trainer predicts with after a fit with averaged weights."""

from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

from mds_lightning.callbacks.weight_averaging import WeightAveraging


class Regression(lightning.LightningModule):
    """One weight that moves by a constant step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1, bias=False)
        self.seen: list[float] = []

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).sum()

    def predict_step(self, batch, batch_idx):
        self.seen.append(float(self.layer.weight))
        return self.layer(batch[0])

    def test_step(self, batch, batch_idx):
        self.seen.append(float(self.layer.weight))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(
    folder: Path, epochs: int, resumed: Path | None = None
) -> tuple[lightning.Trainer, Regression, DataLoader]:
    rows = DataLoader(TensorDataset(torch.ones(4, 1)), batch_size=1)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[WeightAveraging(decay=0.5), ModelCheckpoint(folder, "best", save_last=True)],
    )
    model = Regression()
    torch.nn.init.zeros_(model.layer.weight)
    trainer.fit(model, rows, ckpt_path=resumed)
    return trainer, model, rows


def test_predictions_use_the_averaged_weights_of_the_checkpoint(tmp_path: Path) -> None:
    trainer, model, rows = fit(tmp_path, 2)
    checkpoint = torch.load(tmp_path / "best.ckpt", weights_only=False)
    average = float(checkpoint["state_dict"]["layer.weight"])
    assert average != float(checkpoint["current_model_state"]["layer.weight"])
    trainer.test(model, rows, ckpt_path=str(tmp_path / "best.ckpt"), verbose=False)
    trainer.predict(model, rows, ckpt_path=str(tmp_path / "best.ckpt"), return_predictions=False)
    assert set(model.seen) == {average}


def test_a_fit_that_continues_ends_with_the_same_average(tmp_path: Path) -> None:
    fit(tmp_path / "whole", 4)
    fit(tmp_path / "parts", 2)
    fit(tmp_path / "parts", 4, tmp_path / "parts" / "last.ckpt")
    whole, parts = (
        torch.load(tmp_path / name / "last.ckpt", weights_only=False) for name in ("whole", "parts")
    )
    for key in ("state_dict", "current_model_state"):
        torch.testing.assert_close(whole[key], parts[key], rtol=0, atol=0)
