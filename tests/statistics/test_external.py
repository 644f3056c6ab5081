import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.external import find_external
from mds_lightning.statistics.predictions import Predictions


def study(correlated, labels: tuple[str, ...], folds: int = 3) -> Predictions:
    """Internal patients in three folds; external ones that every fold's model predicted differently."""
    test, val = correlated(patients=60, images=2, folds=folds), correlated(patients=60, folds=folds, seed=9)
    val = val.table.assign(
        split="val", image="v" + val.table["image"], patient_id="v" + val.table["patient_id"]
    )
    parts = [test.table, val]
    for fold in range(folds):
        outside = correlated(patients=16, images=2, split="external", seed=50 + fold).table
        outside = outside[outside["label"].isin(labels)].assign(fold=fold)
        parts.append(outside.assign(image="x" + outside["image"], patient_id="x" + outside["patient_id"]))
    return Predictions(pd.concat(parts, ignore_index=True), test.classes)


def test_no_external_patients(correlated) -> None:
    assert find_external(correlated()) is None


def test_each_model_is_compared_with_patients_that_it_has_not_seen(correlated) -> None:
    predictions = study(correlated, ("MDS",))
    external = find_external(predictions)
    assert external.name == "external MDS"
    assert external.compared_name == "external MDS vs held-out internal donor"
    assert external.mixture == "all external patients are MDS, and the donor patients are internal ones"
    for fold in range(3):
        rows = external.compared.of_fold(fold).table
        held_out = predictions.split("test").of_fold(fold).table
        inside = rows[rows["split"] == "test"]
        assert set(inside["patient_id"]) == set(held_out[held_out["label"] == "donor"]["patient_id"])
        assert set(rows[rows["split"] == "external"]["label"]) == {"MDS"}


def test_external_patients_of_all_classes_are_compared_among_themselves(correlated) -> None:
    external = find_external(study(correlated, ("MDS", "donor")))
    assert external.compared_name == "external donor and MDS"
    assert external.mixture == ""
    assert set(external.compared.table["split"]) == {"external"}


@pytest.mark.parametrize(
    ("sites", "mixture"),
    [
        ({"donor": ["a"] * 4 + ["b"] * 4, "MDS": ["a"] * 4 + ["b"] * 4}, ""),
        # Seven patients: one class cannot be divided evenly.
        ({"donor": ["a"] * 4 + ["b"] * 4, "MDS": ["a"] * 3 + ["b"] * 5}, ""),
        (
            {"donor": ["a"] * 8, "MDS": ["b"] * 8},
            "the sites have different fractions of the classes "
            "(a with 8 donor, 0 MDS; b with 0 donor, 8 MDS)",
        ),
        (
            {"donor": ["a"] * 6 + [""] * 2, "MDS": ["a"] * 2 + [""] * 6},
            "the sites have different fractions of the classes "
            "(no site with 2 donor, 6 MDS; a with 6 donor, 2 MDS)",
        ),
    ],
)
def test_sites_with_other_fractions_of_the_classes_are_mixed_sources(correlated, sites, mixture) -> None:
    predictions = study(correlated, ("MDS", "donor"))
    table = predictions.table
    outside = table["split"] == "external"
    for label, names in sites.items():
        ids = sorted(set(table.loc[outside & (table["label"] == label), "patient_id"]))
        table.loc[outside & (table["label"] == label), "site"] = table["patient_id"].map(
            dict(zip(ids, names, strict=True))
        )
    assert find_external(predictions).mixture == mixture


def test_levels_agree(correlated) -> None:
    """Patients are aggregated before, so the comparison is that of the patients' own scores."""
    patients = find_external(aggregate_patients(study(correlated, ("MDS", "donor"))))
    values = [
        roc_auc_score(part.target, part.probabilities[:, 1])
        for part in (patients.compared.of_fold(fold) for fold in range(3))
    ]
    assert np.isfinite(values).all()
