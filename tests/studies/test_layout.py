from mds_lightning.studies.layout import StudyDirectory


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
