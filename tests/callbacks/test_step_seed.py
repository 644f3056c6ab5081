from types import SimpleNamespace

import torch

from mds_lightning.callbacks.step_seed import StepSeed


def _draw(seed, epoch, batch, rank=0):
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    StepSeed(seed).on_train_batch_start(trainer, None, None, batch)
    return torch.rand(4).tolist()


def test_what_was_drawn_before_has_no_influence():
    first = _draw(3, 1, 2)
    torch.rand(17)
    assert _draw(3, 1, 2) == first


def test_seed_epoch_step_and_process_each_matter():
    draws = [_draw(0, 0, 0), _draw(1, 0, 0), _draw(0, 1, 0), _draw(0, 0, 1), _draw(0, 0, 0, rank=1)]
    assert len({tuple(draw) for draw in draws}) == 5
