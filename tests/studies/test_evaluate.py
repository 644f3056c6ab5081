import pandas as pd


def test_evaluate_writes_what_it_shows(workplace, mds_lightning):
    shown = mds_lightning("evaluate", "study=runs/small", "n_resamples=200", cwd=workplace)
    assert shown.returncode == 0, shown.stderr
    folder = workplace / "runs/small/evaluation/squeezenet1_1"
    table = pd.read_csv(folder / "metrics.csv")
    assert {"image", "patient"} <= set(table["level"])
    assert (folder / "roc.png").stat().st_size > 10_000
    assert str((folder / "metrics.csv").relative_to(workplace)) in shown.stdout
    for heading in ("Accuracy", "Precision, MDS", "Recall, donor", "ROC-AUC"):
        assert heading in shown.stdout


def test_an_unfinished_study_is_refused_with_the_command_to_go_on(workplace, mds_lightning):
    done = workplace / "runs/small/squeezenet1_1/fold-1/done.json"
    kept = done.read_bytes()
    done.unlink()
    try:
        refused = mds_lightning("evaluate", "study=runs/small", cwd=workplace)
    finally:
        done.write_bytes(kept)
    assert refused.returncode == 2
    assert "fold 1 is not finished" in refused.stderr
    assert "mds-lightning train" in refused.stderr
    assert "Traceback" not in refused.stderr
