"""What of a network's output a map speaks of."""

from typing import Literal, TypeAlias

from torch import Tensor

#: probability: the paper's; logit: does not saturate where the network is sure.
Score: TypeAlias = Literal["probability", "logit"]


def score_classes(logits: Tensor, score: Score) -> Tensor:
    """Return the score of every class.

    Args:
        logits: Shape (n, classes); one class alone is read as the logit of a binary task's positive class.
        score: Kind of score.

    Returns:
        Shape (n, classes), dtype of `logits`.

    Raises:
        ValueError: An unknown kind, or an output of another shape.
    """
    if logits.ndim != 2:
        raise ValueError(
            f"the network gave an output of shape {tuple(logits.shape)}: "
            "occlusion maps need logits of shape (n, classes)"
        )
    if score == "logit":
        return logits
    if score == "probability":
        return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)
    raise ValueError(f"score is {score!r}: choose probability or logit")
