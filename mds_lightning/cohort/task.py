"""The classification task: which labels of a manifest are the classes, and which is positive."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """The classes of a classifier; the index of a label in `classes` is its target.

    Attributes:
        name: Short name for logs and tables.
        classes: Labels of the manifest; of a binary task (negative, positive), so that target 1 is positive.
    """

    name: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        assert len(self.classes) >= 2, "make_task refuses tasks of fewer than two classes"
        assert len(set(self.classes)) == len(self.classes), "make_task refuses repeated classes"

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    @property
    def positive(self) -> str | None:
        """The label whose target is 1, or None if there are more than two classes."""
        return self.classes[1] if self.is_binary else None


@dataclass(frozen=True)
class TaskParameters:
    """The settings `task` of a configuration.

    Attributes:
        name: Short name for logs and tables.
        positive: Label of the positive class; requires `negative`, and excludes `classes`.
        negative: Label of the negative class.
        classes: Two or more labels in the order of their targets; of two, the second is positive.
    """

    name: str
    positive: str | None = None
    negative: str | None = None
    classes: Sequence[str] | None = None


def make_task(parameters: TaskParameters) -> Task:
    """Build a task from the settings `task`.

    Raises:
        ValueError: Neither or both of `classes` and `positive`/`negative` are given, a label is empty or
            repeated, or there are fewer than two labels.
    """
    name, classes = parameters.name, parameters.classes
    positive, negative = parameters.positive, parameters.negative
    if classes is not None and (positive is not None or negative is not None):
        raise ValueError(
            f"task '{name}' sets both task.classes and task.positive or task.negative: keep one of them, "
            "such as task.positive=MDS task.negative=donor task.classes=null"
        )
    if classes is None:
        for key, value in (("positive", positive), ("negative", negative)):
            if value is None:
                raise ValueError(
                    f"task.{key} is missing: give a label of the manifest, such as task.{key}=MDS"
                )
        classes = [str(negative), str(positive)]
    labels = tuple(unicodedata.normalize("NFC", str(label)).strip() for label in classes)
    if not all(labels):
        raise ValueError(
            f"task '{name}' has an empty label among {list(labels)}: give labels of the manifest"
        )
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"task '{name}' contains '{repeated[0]}' more than once: give different labels")
    if len(labels) < 2:
        raise ValueError(
            f"task '{name}' has fewer than two labels: give more, such as 'task.classes=[donor,MDS,AML]'"
        )
    return Task(name, labels)
