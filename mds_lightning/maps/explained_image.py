"""An image that is explained, and what is known about it."""

from dataclasses import dataclass
from typing import Literal

#: test: held out in this fold; external: of a patient that no fold trained on; foreign: not in the cohort.
Origin = Literal["test", "external", "foreign"]


@dataclass(frozen=True)
class ExplainedImage:
    """An image and the fold whose model explains it.

    Attributes:
        image: Name in the manifest, or the path of a file that is not in the cohort.
        fold: Index of the fold whose model is used.
        origin: Relation of the image to that fold.
        row: Of the cohort's table; -1 for a foreign image.
        target: Index of the true class; -1 where it is unknown.
        label: True class in the manifest; '' where it is unknown.
    """

    image: str
    fold: int
    origin: Origin = "test"
    row: int = -1
    target: int = -1
    label: str = ""
