import pytest

from mds_lightning.studies.layout import StudyDirectory, write_atomically


def _break_off(path):
    with write_atomically(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(RuntimeError):
        _break_off(path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_final_name_is_not_there_while_writing(tmp_path):
    path = tmp_path / "file.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"


def test_a_study_lists_its_variants_and_folds_in_order(tmp_path):
    study = StudyDirectory(tmp_path)
    for variant, fold in (("resnet18", 10), ("resnet18", 2), ("densenet121", 0)):
        study.run(variant, fold).path.mkdir(parents=True)
    study.evaluation.mkdir()
    assert study.variants() == ["densenet121", "resnet18"]
    assert list(study.runs("resnet18")) == [2, 10]


def test_done_is_read_back(tmp_path):
    run = StudyDirectory(tmp_path).run("resnet18", 0)
    assert run.read_done() is None
    run.mark_done({"val_auroc": 0.75})
    assert run.read_done() == {"val_auroc": 0.75}
