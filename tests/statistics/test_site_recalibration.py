import numpy as np
import pandas as pd
import pytest

from mds_lightning.statistics.calibration import Calibration
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibration import learn_recalibration
from mds_lightning.statistics.site_recalibration import (
    CARRIED,
    OFFSET,
    OFFSET_AND_SLOPE,
    PRECISION,
    cross_fit,
    recalibrate_sites,
)


def patients_of(
    counts: dict[str, tuple[int, int]], shift: float = 0.0, seed: int = 0, folds: int = 3
) -> Predictions:
    """External patients of each site (donors, MDS), calibrated but for the models' shifts in log-odds.

    `shift` is the mean of the shifts, which are larger in later folds.
    """
    generator = np.random.default_rng(seed)
    parts = []
    for site, (donors, positives) in counts.items():
        target = np.repeat([0, 1], [donors, positives])
        logit = generator.normal(2 * target - 1, 2**0.5) + np.log(max(positives, 1) / max(donors, 1))
        for fold in range(folds):
            chance = 1 / (1 + np.exp(-(logit + shift * (fold + 4) / 5)))
            names = [f"{site}{k}" for k in range(len(target))]
            parts.append(
                pd.DataFrame(
                    {
                        "image": names, "patient_id": names, "site": site, "fold": fold, "split": "external",
                        "label": np.where(target == 1, "MDS", "donor"), "target": target,
                        "prob_donor": 1 - chance, "prob_MDS": chance,
                    }
                )
            )  # fmt: skip
    return Predictions(pd.concat(parts, ignore_index=True), ("donor", "MDS"))


def test_a_patient_has_no_part_in_its_own_recalibration() -> None:
    patients = patients_of({"a": (9, 7)})
    found = cross_fit(patients, with_slope=True)
    for name in ("a0", "a12"):
        others = patients.of_fold(1).where(patients.of_fold(1).table["patient_id"] != name)
        own = patients.of_fold(1).where(patients.of_fold(1).table["patient_id"] == name)
        learned = learn_recalibration(others.target, others.probabilities)
        rows = found.of_fold(1).table
        assert rows.loc[rows["patient_id"] == name, "prob_MDS"].iloc[0] == pytest.approx(
            learned.apply(own.probabilities)[0, 1]
        )


def test_the_own_label_does_not_change_the_own_probability() -> None:
    patients = patients_of({"a": (9, 7)})
    table = patients.table.copy()
    table.loc[table["patient_id"] == "a3", ["label", "target"]] = ["MDS", 1]
    before, after = (
        cross_fit(one, with_slope=False).table.query("patient_id == 'a3'")["prob_MDS"]
        for one in (patients, Predictions(table, patients.classes))
    )
    np.testing.assert_allclose(before, after)


def test_many_patients_are_left_out_in_groups_that_mix_the_classes() -> None:
    patients = patients_of({"a": (150, 60)}, shift=2, folds=1)
    found = cross_fit(patients, with_slope=False)
    intercepts = []
    for rows in (patients, found):
        measure = Calibration(rows.target == 1, rows.probabilities[:, 1], np.arange(210))
        intercepts.append(abs(float(measure(np.ones((1, 210)))["intercept"][0])))
    assert intercepts[1] < 0.1 < 1 < intercepts[0]


def test_an_offset_of_the_site_is_found_and_corrected() -> None:
    found = recalibrate_sites(patients_of({"a": (60, 40)}, shift=2))
    table = found.calibration.query("metric == 'intercept'").set_index("probabilities")
    assert table.loc[CARRIED, "high"] < -0.5
    for how in (OFFSET, OFFSET_AND_SLOPE):
        assert table.loc[how, "low"] < 0 < table.loc[how, "high"]
    brier = found.calibration.query("metric == 'brier'").set_index("probabilities")["value"]
    assert brier[OFFSET] < brier[CARRIED]
    offset = found.offsets.iloc[0]
    assert offset["low"] < -2 < offset["high"], "the mean of the models' shifts 1.6, 2 and 2.4"
    assert [float(one) for one in offset["models"].split(", ")] == sorted(
        (float(one) for one in offset["models"].split(", ")), reverse=True
    )
    assert found.left_out == {}


def test_the_number_of_patients_gives_the_stated_precision() -> None:
    """Learned from the stated number of patients, offsets scatter as promised."""
    needed = recalibrate_sites(patients_of({"a": (300, 200)})).offsets["patients_needed"].iloc[0]
    donors = round(needed * 0.6)
    offsets = []
    for seed in range(300):
        one = patients_of({"a": (donors, needed - donors)}, seed=seed + 1, folds=1)
        offsets.append(learn_recalibration(one.target, one.probabilities, with_slope=False).offsets[1])
    inside = np.mean(np.abs(np.array(offsets) - np.mean(offsets)) < PRECISION)
    # Of 300 draws with probability 0.95, fewer than 0.90 or more than 0.99 have a probability below 0.001.
    # Class sizes are fixed here and random in the formula, so that the scatter is at most as large.
    assert inside >= 0.90


def test_sites_of_one_class_are_left_out_and_named() -> None:
    found = recalibrate_sites(patients_of({"a": (8, 8), "b": (0, 8)}))
    assert set(found.calibration["site"]) == {"a"}
    assert found.left_out == {"b": "fewer than 2 patients are donor"}


def test_no_suitable_site_is_refused() -> None:
    with pytest.raises(ValueError, match=r"b: fewer than 2 patients are donor\): add patients"):
        recalibrate_sites(patients_of({"b": (1, 8)}))
    internal = patients_of({"a": (8, 8)})
    with pytest.raises(ValueError, match=r"recalibrate=site: the study has no external patients"):
        recalibrate_sites(Predictions(internal.table.assign(split="test"), internal.classes))
