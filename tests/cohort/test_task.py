import pytest

from mds_lightning.cohort.task import TaskParameters, make_task


def test_target_1_of_a_binary_task_is_the_positive_class():
    task = make_task(TaskParameters("mds_vs_donor", positive="MDS", negative="donor"))
    assert task.classes == ("donor", "MDS")
    assert task.positive == "MDS"
    assert task.is_binary


def test_classes_keep_their_order_and_three_have_no_positive_class():
    task = make_task(TaskParameters("three", classes=["donor", "MDS", "AML"]))
    assert task.classes == ("donor", "MDS", "AML")
    assert task.positive is None
    assert not task.is_binary
    assert make_task(TaskParameters("two", classes=["a", "b"])).positive == "b"


def test_labels_are_normalised():
    assert make_task(TaskParameters("t", positive="Mu\u0308ller ", negative="donor")).classes == (
        "donor",
        "M\u00fcller",
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"positive": "MDS", "negative": "MDS"}, "contains 'MDS' more than once"),
        ({"positive": "MDS"}, "task.negative is missing"),
        ({"negative": "MDS"}, "task.positive is missing"),
        ({}, "task.positive is missing"),
        ({"classes": ["MDS"]}, "fewer than two labels"),
        ({"classes": []}, "fewer than two labels"),
        ({"classes": ["a", "b", "a"]}, "contains 'a' more than once"),
        ({"classes": ["a", " "]}, "empty label"),
        ({"classes": ["a", "b"], "positive": "a"}, "both task.classes and task.positive"),
    ],
)
def test_an_invalid_task_is_refused_by_its_key(values, message):
    with pytest.raises(ValueError, match=message):
        make_task(TaskParameters("t", **values))
