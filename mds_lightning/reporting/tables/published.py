"""What the paper published, to stand beside what a study finds on the same task.

Held here are the patients of each class and two numbers of the best model, no more. Compared with the
article's text: the patients, and DenseNet-201 with its accuracy of 0.98. Not compared, for want of that part
of the text: the ROC-AUCs and SqueezeNet as the best model against AML. The article's values for each metric,
each of its six architectures and the external patients are not held here: copy them into `values` from the
article, and the tables show them beside ours. Whether its numbers are of images or of patients, and how folds
were joined, is to be read there too.
"""

from dataclasses import dataclass

#: Eckardt et al., npj Precision Oncology (2025).
SOURCE = "doi:10.1038/s41698-025-01222-y"


@dataclass(frozen=True)
class Published:
    """The best model of one task.

    Attributes:
        table: Number of the table that the task has among those that `evaluate` writes (1 holds patients).
        model: Standard name of the backbone.
        patients: Patients of each class.
        values: (metric, of) to value, as far as it is held here; rounded as published.
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
