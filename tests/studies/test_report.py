import mds_lightning as package


def test_report_writes_one_page_and_a_model_card(workplace, mds_lightning):
    shown = mds_lightning("report", "study=runs/small", "n_resamples=100", cwd=workplace)
    assert shown.returncode == 0, shown.stderr
    folder = workplace / "runs/small/evaluation"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The smears are simulated" in page
    assert "16 patients, 24 images" in page
    assert "data:image/jpeg;base64," in page
    assert "ROC-AUC" in (folder / "model_card.md").read_text(encoding="utf-8")
    assert "runs/small/evaluation/report.html" in shown.stdout
    assert "ROC-AUC" in shown.stdout


def test_a_trained_study_is_read_from_python(workplace):
    study = package.load_study(workplace / "runs/small")
    assert study.variants == ["squeezenet1_1"]
    assert len(study.fold(0).curves) == study.fold(0).done["epochs"]
    rows = study.rows()
    for one in study.maps():
        assert one.image in set(rows.loc[(rows["split"] == "test") & (rows["fold"] == one.fold), "image"])
        assert study.image(one.image).shape == (120, 160, 3)
        assert one.settings["baseline"] == "background"
    assert {"age", "sex"} <= set(study.manifest)


def test_a_study_that_is_not_there_is_refused(workplace, mds_lightning):
    refused = mds_lightning("report", "study=runs/absent", cwd=workplace)
    assert refused.returncode == 2
    assert "runs/absent is not a study" in refused.stderr
    assert "Traceback" not in refused.stderr
