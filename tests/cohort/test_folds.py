import logging

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.folds import FoldError, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import patient_table, split_patients
from mds_lightning.cohort.split_parameters import SplitParameters

from .cohorts import make_cohort, paper_cohort


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "folds.json"


# Splitting


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_test_folds_are_stratified(path, seed):
    # scikit-learn before 1.8 loses track of the patients when it shuffles: 6, 6, 7, 6, 5 with AML for seed 1.
    folds = load_or_make_folds(path, paper_cohort(), SplitParameters(seed=seed))
    for label, expected in (("MDS", 12), ("AML", 6), ("donor", 4)):
        assert [sum(p.startswith(label) for p in fold.test) for fold in folds] == [expected] * 5


def test_classes_are_balanced_by_patient_not_by_image(path):
    patients = [(f"p{number}", "MDS" if number < 20 else "donor", "", False) for number in range(40)]
    cohort = make_cohort(patients)
    many = make_cohort(patients[:3], fields=50).table
    cohort = Cohort(pd.concat([cohort.table, many], ignore_index=True), cohort.manifest, cohort.root, {})
    for fold in load_or_make_folds(path, cohort, SplitParameters()):
        assert sum(int(patient[1:]) < 20 for patient in fold.test) == 4
        assert len(fold.test) == 8


def test_folds_are_stratified_by_site_if_every_combination_has_enough_patients(path):
    cohort = paper_cohort(sites=("A", "B"))
    site = cohort.table.set_index("patient_id")["site"]
    for fold in load_or_make_folds(path, cohort, SplitParameters()):
        for label, expected in (("MDS", 6), ("AML", 3), ("donor", 2)):
            at_a = [p for p in fold.test if p.startswith(label) and site[p] == "A"]
            assert len(at_a) == expected
        validating = [p for p in fold.val if p.startswith("MDS")]
        assert abs(sum(site[p] == "A" for p in validating) - len(validating) / 2) <= 1


def test_a_rare_site_is_not_stratified_and_logged(path, caplog):
    patients = [
        (f"{label}{n}", label, "A" if n else "B", False) for label in ("MDS", "donor") for n in range(10)
    ]
    with caplog.at_level(logging.WARNING):
        load_or_make_folds(path, make_cohort(patients), SplitParameters())
    assert "by label but not by site" in caplog.text
    assert "MDS at B" in caplog.text or "donor at B" in caplog.text


def test_external_patients_are_in_no_fold(path):
    patients = [(f"{label}{n}", label, "", n >= 10) for label in ("MDS", "donor") for n in range(15)]
    folds = load_or_make_folds(path, make_cohort(patients), SplitParameters())
    seen = {patient for fold in folds for patient in fold.train + fold.val + fold.test}
    assert seen == {f"{label}{n}" for label in ("MDS", "donor") for n in range(10)}


def test_validation_takes_its_fraction_of_every_class(path):
    for fold in load_or_make_folds(path, paper_cohort(), SplitParameters(val_share=0.25)):
        assert [sum(p.startswith(label) for p in fold.val) for label in ("MDS", "AML", "donor")] == [12, 6, 4]


@settings(deadline=None, max_examples=25)
@given(
    counts=st.lists(st.integers(3, 17), min_size=2, max_size=3),
    n_splits=st.integers(2, 5),
    seed=st.integers(0, 2**32 - 1),
    val_share=st.floats(0.01, 0.99),
    sites=st.integers(1, 3),
    order=st.randoms(),
)
def test_no_patient_is_in_two_parts_of_a_fold(counts, n_splits, seed, val_share, sites, order):
    assume(min(counts) >= max(n_splits, 4 if n_splits == 2 else 3))
    patients = [
        (f"{label}-{number}", f"class {label}", f"site {number % sites}", False)
        for label, count in enumerate(counts)
        for number in range(count)
    ]
    cohort = make_cohort(patients, fields=2)
    folds = split_patients(patient_table(cohort.table), n_splits, seed, val_share)
    everyone = {patient for patient, *_ in patients}
    labels = {patient: label for patient, label, *_ in patients}
    for fold in folds:
        assert sorted(fold.train + fold.val + fold.test) == sorted(everyone)
        for side in (fold.train, fold.val, fold.test):
            assert {labels[patient] for patient in side} == set(labels.values())
    assert sorted(patient for fold in folds for patient in fold.test) == sorted(everyone)
    for label, count in enumerate(counts):
        tested = [sum(labels[patient] == f"class {label}" for patient in fold.test) for fold in folds]
        assert max(tested) - min(tested) <= (1 if sites == 1 else sites)
        assert sum(tested) == count
    order.shuffle(patients)
    again = split_patients(patient_table(make_cohort(patients).table), n_splits, seed, val_share)
    assert again == folds


def test_another_seed_gives_another_split(tmp_path):
    first, other = (
        load_or_make_folds(tmp_path / f"{seed}.json", paper_cohort(), SplitParameters(seed=seed))
        for seed in (0, 1)
    )
    assert first.fold(0).test != other.fold(0).test
    assert first.hash != other.hash


# Impossible splits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_splits": 1}, "folds.n_splits is 1: give 2 or more"),
        ({"n_splits": 21}, r"'donor' has fewer patients .*\(20\) than folds \(folds.n_splits=21\)"),
        ({"val_share": 0.0}, "folds.val_share is 0.0"),
        ({"val_share": 1.0}, "folds.val_share is 1.0"),
    ],
)
def test_impossible_splits_are_refused_and_nothing_is_written(path, options, message):
    with pytest.raises(FoldError, match=message):
        load_or_make_folds(path, paper_cohort(), SplitParameters(**options))
    assert not path.exists()


def test_a_class_with_one_training_patient_is_refused(path):
    cohort = make_cohort([(f"{label}{n}", label, "", False) for label in ("MDS", "donor") for n in range(2)])
    with pytest.raises(FoldError, match="has 1 training patient in fold 0"):
        load_or_make_folds(path, cohort, SplitParameters(n_splits=2))


@pytest.mark.parametrize("index", [7, 5, -1])
def test_a_fold_out_of_range_names_the_range(path, index):
    with pytest.raises(ValueError, match=f"fold={index} does not exist: this study has folds 0 to 4"):
        load_or_make_folds(path, paper_cohort(), SplitParameters()).fold(index)
