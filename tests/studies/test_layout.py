import pytest

from mds_lightning.studies.layout import RunDirectory, StudyDirectory


@pytest.fixture
def study(tmp_path) -> StudyDirectory:
    """`resnet18` with one seed, `densenet121` with two."""
    made = StudyDirectory(tmp_path)
    for variant, fold, seed in (
        ("resnet18", 10, None), ("resnet18", 2, None), ("densenet121", 1, 10), ("densenet121", 0, 2),
        ("densenet121", 1, 2),
    ):  # fmt: skip
        run = made.run(variant, fold, seed)
        run.path.mkdir(parents=True)
        run.config.touch()
    made.evaluation.mkdir()
    return made


def test_a_study_lists_its_variants_seeds_and_folds_in_order(study):
    assert study.variants() == ["densenet121", "resnet18"]
    assert list(study.runs("resnet18")) == [2, 10]
    assert [study.seeds(variant) for variant in study.variants()] == [[2, 10], []]
    assert list(study.runs("densenet121")) == [0, 1]
    assert list(study.runs("densenet121", 10)) == [1]
    assert [run.path.relative_to(study.path).as_posix() for run in study.all_runs("densenet121")] == [
        "densenet121/seed-2/fold-0",
        "densenet121/seed-2/fold-1",
        "densenet121/seed-10/fold-1",
    ]
    assert len(study.all_runs("resnet18")) == 2


@pytest.mark.parametrize(("variant", "seed"), [("resnet18", None), ("densenet121", 10)])
def test_a_run_knows_its_study_variant_and_seed(study, variant, seed, monkeypatch):
    run = study.run(variant, 3, seed)
    assert (run.study, run.variant.name, run.seed) == (study, variant, seed)
    run.path.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(run.path.parent)
    assert RunDirectory(run.path.relative_to(run.path.parent)).study == study


def test_folders_with_other_names_are_no_folds(study):
    for name in ("fold-2-copy", "fold-2.bak", "fold-", "seed-old/fold-1", "../copies/fold-0.bak"):
        (study.path / "resnet18" / name).mkdir(parents=True)
    for name in ("fold-7", "fold-0.tar.gz"):
        (study.path / "resnet18" / name).touch()
    assert study.variants() == ["densenet121", "resnet18"]
    assert list(study.runs("resnet18")) == [2, 10]
    assert study.seeds("resnet18") == []


def test_done_is_read_back(tmp_path):
    run = StudyDirectory(tmp_path).run("resnet18", 0)
    assert run.read_done() is None
    run.mark_done({"val_auroc": 0.75})
    assert run.read_done() == {"val_auroc": 0.75}
