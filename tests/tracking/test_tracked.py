import pytest
import yaml

from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.tracking.tracked import read_tracked


def write(directory, variant, fold, tracked=True, group="s", **classifier):
    node = {
        "_target_": "mds_lightning.tracking.wandb.fold_logger",
        "study": group,
        "project": "smears",
    }
    settings = {
        "fold": fold,
        "variant": variant,
        "classifier": classifier,
        "logger": {"metrics": {"_target_": "other"}, **({"tracker": node} if tracked else {})},
    }
    run = directory / variant / f"fold-{fold}"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(settings))


def test_settings_that_differ_between_variants_are_compared(tmp_path, caplog):
    write(tmp_path, "trial-0", 0, learning_rate=0.1, dropout=0.0, sizes=[1])
    write(tmp_path, "trial-1", 2, learning_rate=0.2, sizes=[2])  # trained before dropout was added
    write(tmp_path, "trial-2", 1, learning_rate=0.1, dropout=0.0, sizes=[2])
    tracked = read_tracked(StudyDirectory(tmp_path))
    assert (tracked.name, tracked.project) == ("s", "smears")
    assert tracked.compared == {"classifier.learning_rate": (0.1, 0.2)}
    assert "classifier.sizes differs" in caplog.text


def test_a_study_without_tracked_runs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a directory"):
        read_tracked(StudyDirectory(tmp_path / "other"))
    write(tmp_path, "resnet18", 0, tracked=False)
    with pytest.raises(ValueError, match="train with logger=wandb"):
        read_tracked(StudyDirectory(tmp_path))


def test_runs_of_several_studies_are_refused(tmp_path):
    write(tmp_path, "resnet18", 0)
    write(tmp_path, "resnet34", 0, group="t")
    with pytest.raises(ValueError, match="with study s and t"):
        read_tracked(StudyDirectory(tmp_path))
