import pytest
import torch

from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO


def test_a_checkpoint_is_read_back_as_plain_tensors(tmp_path):
    path = tmp_path / "checkpoints" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weight": torch.arange(3), "epoch": 2}, path)
    loaded = torch.load(path, weights_only=True)
    assert loaded["epoch"] == 2
    assert torch.equal(loaded["weight"], torch.arange(3))
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


def test_a_failed_write_keeps_the_earlier_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)

    def fail(descriptor):
        raise KeyboardInterrupt

    # The bytes are written by then, and the name is not given yet.
    monkeypatch.setattr("mds_lightning.studies.checkpoint_io.os.fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
