import json
import logging
import multiprocessing
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.folds import FoldError, load_or_make_folds, read_folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import patient_table, split_patients


def make_cohort(patients, fields=1):
    """A cohort from (patient, label, site, external), without files."""
    rows = [
        (f"{patient}-{field}.png", patient, label, site, external)
        for patient, label, site, external in patients
        for field in range(fields)
    ]
    table = pd.DataFrame(rows, columns=["image", "patient_id", "label", "site", "external"])
    return Cohort(table, Path("manifest.csv"), Path(), {})


def paper_cohort(sites=("",)):
    """60, 30 and 20 patients of three classes, as in the paper's order of magnitude."""
    counts = {"MDS": 60, "AML": 30, "donor": 20}
    return make_cohort(
        [
            (f"{label}{number}", label, sites[number % len(sites)], False)
            for label, patients in counts.items()
            for number in range(patients)
        ]
    )


def edit(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "folds.json"


# How patients are dealt


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_test_folds_are_stratified(path, seed):
    # scikit-learn before 1.8 loses track of the patients when it shuffles: 6, 6, 7, 6, 5 with AML for seed 1.
    folds = load_or_make_folds(path, paper_cohort(), seed=seed)
    for label, expected in (("MDS", 12), ("AML", 6), ("donor", 4)):
        assert [sum(p.startswith(label) for p in fold.test) for fold in folds] == [expected] * 5


def test_classes_are_balanced_by_patient_not_by_image(path):
    patients = [(f"p{number}", "MDS" if number < 20 else "donor", "", False) for number in range(40)]
    cohort = make_cohort(patients)
    many = make_cohort(patients[:3], fields=50).table
    cohort = Cohort(pd.concat([cohort.table, many], ignore_index=True), cohort.manifest, cohort.root, {})
    for fold in load_or_make_folds(path, cohort):
        assert sum(int(patient[1:]) < 20 for patient in fold.test) == 4
        assert len(fold.test) == 8


def test_folds_are_stratified_by_site_if_every_combination_has_enough_patients(path):
    cohort = paper_cohort(sites=("A", "B"))
    site = cohort.table.set_index("patient_id")["site"]
    for fold in load_or_make_folds(path, cohort):
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
        load_or_make_folds(path, make_cohort(patients))
    assert "by label but not by site" in caplog.text
    assert "MDS at B" in caplog.text or "donor at B" in caplog.text


def test_external_patients_are_in_no_fold(path):
    patients = [(f"{label}{n}", label, "", n >= 10) for label in ("MDS", "donor") for n in range(15)]
    folds = load_or_make_folds(path, make_cohort(patients))
    seen = {patient for fold in folds for patient in fold.train + fold.val + fold.test}
    assert seen == {f"{label}{n}" for label in ("MDS", "donor") for n in range(10)}


def test_validation_takes_its_fraction_of_every_class(path):
    for fold in load_or_make_folds(path, paper_cohort(), val_share=0.25):
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
        load_or_make_folds(tmp_path / f"{seed}.json", paper_cohort(), seed=seed) for seed in (0, 1)
    )
    assert first.fold(0).test != other.fold(0).test
    assert first.hash != other.hash


# What cannot be split


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
        load_or_make_folds(path, paper_cohort(), **options)
    assert not path.exists()


def test_a_class_with_one_training_patient_is_refused(path):
    cohort = make_cohort([(f"{label}{n}", label, "", False) for label in ("MDS", "donor") for n in range(2)])
    with pytest.raises(FoldError, match="has 1 training patient in fold 0"):
        load_or_make_folds(path, cohort, n_splits=2)


@pytest.mark.parametrize("index", [7, 5, -1])
def test_a_fold_out_of_range_names_the_range(path, index):
    with pytest.raises(ValueError, match=f"fold={index} does not exist: this study has folds 0 to 4"):
        load_or_make_folds(path, paper_cohort()).fold(index)


# The file


def test_the_file_is_written_once_and_read_unchanged(path):
    cohort = paper_cohort()
    first = load_or_make_folds(path, cohort)
    content = path.read_bytes()
    assert load_or_make_folds(path, cohort) == first
    assert path.read_bytes() == content
    assert [item.name for item in path.parent.iterdir()] == ["folds.json"]
    assert [fold.index for fold in first] == list(range(len(first)))


def test_the_file_does_not_depend_on_the_order_of_rows(path, tmp_path):
    cohort = paper_cohort()
    shuffled = Cohort(cohort.table[::-1].reset_index(drop=True), cohort.manifest, cohort.root, {})
    assert load_or_make_folds(path, cohort) == load_or_make_folds(tmp_path / "other.json", shuffled)
    assert load_or_make_folds(path, shuffled).hash == load_or_make_folds(path, cohort).hash


@pytest.mark.parametrize(("key", "value"), [("n_splits", 4), ("seed", 3), ("val_share", 0.3)])
def test_other_parameters_than_the_file_was_made_with_are_refused(path, key, value):
    load_or_make_folds(path, paper_cohort())
    with pytest.raises(FoldError, match=rf"folds.{key}={value} is requested.*study=NAME"):
        load_or_make_folds(path, paper_cohort(), **{key: value})


def _replace(table, patient, column, value):
    table.loc[table["patient_id"] == patient, column] = value
    return table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table["patient_id"] != "MDS3"], "removed: patient 'MDS3'"),
        (
            lambda table: _replace(table, "MDS3", "patient_id", "new"),
            "added: patient 'new'; removed: patient 'MDS3'",
        ),
        (lambda table: _replace(table, "MDS3", "label", "AML"), "relabelled: patient 'MDS3'"),
        (
            lambda table: _replace(table, "MDS3", "external", True),
            "now external or no longer: patient 'MDS3'",
        ),
        (lambda table: _replace(table, "MDS3", "site", "B"), "other images or another site: patient 'MDS3'"),
        (
            lambda table: _replace(table, "MDS3", "image", "x.png"),
            "other images or another site: patient 'MDS3'",
        ),
        (lambda table: table[table["label"] != "donor"], "20 patients 'donor0', .* and 15 more"),
    ],
)
def test_a_changed_cohort_is_refused_with_the_changes(path, change, message):
    cohort = paper_cohort()
    load_or_make_folds(path, cohort)
    changed = Cohort(change(cohort.table.copy()).reset_index(drop=True), cohort.manifest, cohort.root, {})
    with pytest.raises(FoldError, match=f"the cohort has changed since.*{message}"):
        load_or_make_folds(path, changed)


def _move_test_patient_into(side):
    def change(record):
        record["folds"][0][side].append(record["folds"][0]["test"][0])

    return change


def _test_twice(record):
    moved = record["folds"][1]["train"].pop()
    record["folds"][1]["test"].append(moved)


def _forget(record):
    record["folds"][2]["test"].pop()


def _invent(record):
    record["folds"][2]["train"].append("nobody")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_move_test_patient_into("train"), "fold 0 has patient '.*' in both train and test"),
        (_move_test_patient_into("val"), "fold 0 has patient '.*' in both val and test"),
        (_test_twice, "in the test set of two folds"),
        (_forget, "in the test set of no fold"),
        (_invent, "lacks or adds patient 'nobody'"),
        (lambda record: record["folds"].reverse(), "not numbered"),
        (lambda record: record["folds"][0]["train"].reverse(), "edited after it was written"),
        (lambda record: record.update(seed=5), "folds.seed=5"),
        (lambda record: record.update(format=2), "has format 2"),
        (lambda record: record.pop("folds"), "is not a fold file"),
        (lambda record: record["patients"].update(MDS0=None), "is not a fold file"),
    ],
)
def test_an_edited_file_is_refused(path, change, message):
    load_or_make_folds(path, paper_cohort())
    edit(path, change)
    with pytest.raises(FoldError, match=message) as refused:
        load_or_make_folds(path, paper_cohort())
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"folds": 3}'])
def test_a_file_that_is_not_a_fold_file_is_refused(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(FoldError, match="is not a fold file"):
        load_or_make_folds(path, paper_cohort())
    with pytest.raises(FoldError, match="is not a fold file"):
        read_folds(path)


def test_folds_are_read_without_the_cohort_and_verified_against_themselves(path):
    made = load_or_make_folds(path, paper_cohort(), seed=3)
    assert read_folds(path) == made
    edit(path, lambda record: record["folds"][0]["val"].append(record["folds"][0]["test"][0]))
    with pytest.raises(FoldError, match="in both val and test") as refused:
        read_folds(path)
    assert "it was edited after it was written" in str(refused.value)


def test_reading_the_folds_of_a_study_that_has_none_is_refused(path):
    with pytest.raises(FoldError, match="cannot be read"):
        read_folds(path)


def _make_at_the_same_time(path, barrier, results):
    barrier.wait()
    results.put(load_or_make_folds(path, paper_cohort()).hash)


def test_simultaneous_processes_agree(path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=_make_at_the_same_time, args=(path, barrier, results)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    hashes = {results.get(timeout=30) for _ in processes}
    for process in processes:
        process.join()
    assert hashes == {load_or_make_folds(path, paper_cohort()).hash}
    assert [item.name for item in path.parent.iterdir()] == ["folds.json"]


def test_a_second_writer_with_other_parameters_is_refused(path, monkeypatch):
    cohort = paper_cohort()
    load_or_make_folds(path, cohort, seed=1)
    # The second looks for the file an instant before the first has written it.
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(FoldError, match=r"folds\.seed=0 is requested"):
        load_or_make_folds(path, cohort, seed=0)
