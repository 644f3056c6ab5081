"""Which output of a network is explained."""

from torch import Tensor

from mds_lightning.explain.setting_types import Score


def score_classes(logits: Tensor, score: Score) -> Tensor:
    """Compute the score of every class.

    Args:
        logits: (n, classes); a single column is the logit of a binary task's positive class.
        score: Kind of score.

    Returns:
        (n, classes), dtype of `logits`.

    Raises:
        ValueError: An unknown kind, or logits of another shape.
    """
    if logits.ndim != 2:
        raise ValueError(
            f"the network returned an output of shape {tuple(logits.shape)}: "
            "importance maps need logits of shape (n, classes)"
        )
    if score == "logit":
        return logits
    if score == "probability":
        return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)
    raise ValueError(f"score is {score!r}: choose probability or logit")
