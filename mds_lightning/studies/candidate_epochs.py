"""The epochs of which one is selected: those of the second half of a training."""


def first_candidate_epoch(max_epochs: int | None) -> int:
    """The first epoch (from 0) that may be selected: half of `max_epochs`; 0 if epochs are not limited.

    At the high learning rates of the first half the loss on a few validation images can stay above that of an
    untrained network for many epochs while the network learns: selection would keep an epoch that has not
    learned, and early stopping would end the training there (experiments/recipe).

    Args:
        max_epochs: `trainer.max_epochs`; None or -1: not limited.
    """
    return max(max_epochs or 0, 0) // 2
