"""External patients: which there are, from which sources, and with whom the models' scores are compared."""

from dataclasses import dataclass

import pandas as pd

from mds_lightning.statistics.predictions import Predictions


@dataclass(frozen=True)
class ExternalPatients:
    """The external rows of one level; each occurs once for the model of every fold.

    Attributes:
        name: As tables and reports call them, such as `external MDS`.
        alone: The external rows.
        compared: The same with, in each fold, the held-out internal rows of the classes that no external
            patient has: patients that the fold's model has not seen.
        compared_name: `name`, and against whom.
        mixture: Why the classes come from different sources; empty where they do not.
    """

    name: str
    alone: Predictions
    compared: Predictions
    compared_name: str
    mixture: str


def find_external(predictions: Predictions) -> ExternalPatients | None:
    """The external patients of a study; None without any.

    Args:
        predictions: Pooled rows of a study, of images or of patients.
    """
    external = predictions.split("external")
    if external.table.empty:
        return None
    inside = [name for name in predictions.classes if (external.table["label"] == name).any()]
    others = [name for name in predictions.classes if name not in inside]
    name = f"external {' and '.join(inside)}"
    test = predictions.split("test")
    rest = test.where(test.table["label"].isin(others))
    compared = Predictions(pd.concat([external.table, rest.table], ignore_index=True), predictions.classes)
    if others:
        mixture = (
            f"all external patients are {' or '.join(inside)}, and the {' and '.join(others)} patients are "
            "internal ones"
        )
        return ExternalPatients(
            name, external, compared, f"{name} vs held-out internal {' and '.join(others)}", mixture
        )
    return ExternalPatients(name, external, compared, name, _describe_sites(external))


def _describe_sites(external: Predictions) -> str:
    """The classes of each site, where some differ by a patient or more from all sites together."""
    patients = external.table.drop_duplicates("patient_id")
    counts = pd.crosstab(patients["site"], patients["label"])[list(external.classes)]
    expected = counts.sum(axis=1).to_numpy()[:, None] * (counts.sum() / counts.to_numpy().sum()).to_numpy()
    if not (abs(counts.to_numpy() - expected) >= 1).any():
        return ""
    sites = [
        f"{site or 'no site'} with {', '.join(f'{n} {name}' for name, n in line.items())}"
        for site, line in counts.iterrows()
    ]
    return f"the sites have different fractions of the classes ({'; '.join(sites)})"
