import multiprocessing
from pathlib import Path

import pytest

from mds_lightning.cohort.folds import FoldError, load_or_make_folds, read_folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.split_parameters import SplitParameters

from .cohorts import edit, paper_cohort


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "folds.json"


def test_the_file_is_written_once_and_read_unchanged(path):
    cohort = paper_cohort()
    first = load_or_make_folds(path, cohort, SplitParameters())
    content = path.read_bytes()
    assert load_or_make_folds(path, cohort, SplitParameters()) == first
    assert path.read_bytes() == content
    assert [item.name for item in path.parent.iterdir()] == ["folds.json"]
    assert [fold.index for fold in first] == list(range(len(first)))


def test_the_file_does_not_depend_on_the_order_of_rows(path, tmp_path):
    cohort = paper_cohort()
    shuffled = Cohort(cohort.table[::-1].reset_index(drop=True), cohort.manifest, cohort.root, {})
    assert load_or_make_folds(path, cohort, SplitParameters()) == load_or_make_folds(
        tmp_path / "other.json", shuffled, SplitParameters()
    )
    assert (
        load_or_make_folds(path, shuffled, SplitParameters()).hash
        == load_or_make_folds(path, cohort, SplitParameters()).hash
    )


@pytest.mark.parametrize(("key", "value"), [("n_splits", 4), ("seed", 3), ("val_share", 0.3)])
def test_other_parameters_than_the_file_was_made_with_are_refused(path, key, value):
    load_or_make_folds(path, paper_cohort(), SplitParameters())
    with pytest.raises(FoldError, match=rf"folds.{key}={value} is requested.*study=NAME"):
        load_or_make_folds(path, paper_cohort(), SplitParameters(**{key: value}))


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
    load_or_make_folds(path, cohort, SplitParameters())
    changed = Cohort(change(cohort.table.copy()).reset_index(drop=True), cohort.manifest, cohort.root, {})
    with pytest.raises(FoldError, match=f"the cohort has changed since.*{message}"):
        load_or_make_folds(path, changed, SplitParameters())


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
    load_or_make_folds(path, paper_cohort(), SplitParameters())
    edit(path, change)
    with pytest.raises(FoldError, match=message) as refused:
        load_or_make_folds(path, paper_cohort(), SplitParameters())
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"folds": 3}'])
def test_a_file_that_is_not_a_fold_file_is_refused(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(FoldError, match="is not a fold file"):
        load_or_make_folds(path, paper_cohort(), SplitParameters())
    with pytest.raises(FoldError, match="is not a fold file"):
        read_folds(path)


def test_folds_are_read_without_the_cohort_and_verified_against_themselves(path):
    made = load_or_make_folds(path, paper_cohort(), SplitParameters(seed=3))
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
    results.put(load_or_make_folds(path, paper_cohort(), SplitParameters()).hash)


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
    assert hashes == {load_or_make_folds(path, paper_cohort(), SplitParameters()).hash}
    assert [item.name for item in path.parent.iterdir()] == ["folds.json"]


def test_a_second_writer_with_other_parameters_is_refused(path, monkeypatch):
    cohort = paper_cohort()
    load_or_make_folds(path, cohort, SplitParameters(seed=1))
    # The second looks for the file an instant before the first has written it.
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(FoldError, match=r"folds\.seed=0 is requested"):
        load_or_make_folds(path, cohort, SplitParameters(seed=0))
