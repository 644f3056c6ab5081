"""What the paper published, to stand beside what a study finds on the same task."""

from dataclasses import dataclass

#: Eckardt et al., npj Precision Oncology (2025).
SOURCE = "doi:10.1038/s41698-025-01222-y"


@dataclass(frozen=True)
class Published:
    """The best model of one task.

    Attributes:
        table: Number of the table that the task has in this project's account of the paper.
        model: Standard name of the backbone.
        patients: Patients of each class.
        values: (metric, of) to value, as far as it is known here; rounded as published.
    """

    table: int
    model: str
    patients: dict[str, int]
    values: dict[tuple[str, str], float]


#: (negative, positive) to what was published.
PUBLISHED = {
    ("donor", "MDS"): Published(
        2,
        "densenet201",
        {"MDS": 463, "donor": 236},
        {("accuracy", "overall"): 0.98, ("roc_auc", "MDS"): 0.97},
    ),
    ("AML", "MDS"): Published(3, "squeezenet1_1", {"MDS": 463, "AML": 1301}, {("roc_auc", "MDS"): 0.99}),
}
