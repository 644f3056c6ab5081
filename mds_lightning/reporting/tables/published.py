"""Published results of the reference paper, shown next to results of a study on the same task.

Contains the number of patients per class and up to two metrics of the best model. Verified against the text
of the article: the numbers of patients, and DenseNet-201 with its accuracy of 0.98. Not verified: the
ROC-AUCs, and SqueezeNet as the best model for MDS against AML. Other values of the article (all metrics, six
architectures, external patients) are not included: add them to `values` to show them in the tables. The
article also defines whether its numbers are at image or patient level, and how folds were combined.
"""

from dataclasses import dataclass

#: Eckardt et al., npj Precision Oncology (2025).
SOURCE = "doi:10.1038/s41698-025-01222-y"


@dataclass(frozen=True)
class Published:
    """Published result of the best model for one task.

    Attributes:
        table: Number of the table of this task among the tables of `evaluate` (1 is patient characteristics).
        model: Standard name of the backbone.
        patients: Class to number of patients.
        values: (metric, class) to value, rounded as published.
    """

    table: int
    model: str
    patients: dict[str, int]
    values: dict[tuple[str, str], float]


#: (negative, positive) class to the published result.
PUBLISHED = {
    ("donor", "MDS"): Published(
        2,
        "densenet201",
        {"MDS": 463, "donor": 236},
        {("accuracy", "overall"): 0.98, ("roc_auc", "MDS"): 0.97},
    ),
    ("AML", "MDS"): Published(3, "squeezenet1_1", {"MDS": 463, "AML": 1301}, {("roc_auc", "MDS"): 0.99}),
}
