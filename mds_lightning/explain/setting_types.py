"""Types of the settings `explain`. Imports no torch, so that the command line can read the settings."""

from typing import Literal, TypeAlias

#: Pixels as an int, or a fraction (0, 1] of the image's longer side as a float.
Length: TypeAlias = int | float
#: background: the image's background colour; blur: the blurred image; mean: the mean colour of the training
#: images; zero: zero in the network's input, after normalisation.
BaselineName: TypeAlias = Literal["background", "blur", "mean", "zero"]
#: probability: as in the paper; logit: does not saturate where the probability is close to 0 or 1.
Score: TypeAlias = Literal["probability", "logit"]
#: bfloat16: faster on some machines, not exact.
Precision: TypeAlias = Literal["full", "bfloat16"]
#: Class whose map is drawn.
Target: TypeAlias = Literal["predicted", "labelled"]
