"""The report of studies with odd names, with missing parts or with more than two classes."""

import json
import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from mds_lightning import load_study
from mds_lightning.reporting.page.contents import gather_page
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.reporting.page.model_card import write_model_card
from mds_lightning.reporting.page.provenance_summary import summarise_provenance
from mds_lightning.statistics.estimates import Settings

from .outline import Outline

QUICK = Settings(n_resamples=100)
DATE = datetime(2026, 1, 1, tzinfo=UTC)


def test_names_from_user_files_are_escaped(make_study, tmp_path):
    # The marks of a terminal and of the writing direction are shown as codes.
    script = "<script>alert(1)</script>\x1b[2J\u202e"
    shown = r"<script>alert(1)</script>\x1b[2J\u202e"
    maker = make_study(tmp_path, classes=("donor", f"MDS{script}"))
    maker.names = dict.fromkeys([0], f"{script}0") | {1: '"><img src=x onerror=alert(1)>'}
    maker.images = {number: f"a<script>{number}.png" for number in range(48)}
    maker.images[5] = "b' onload='alert(1).png"
    page = write_report(load_study(maker.write()), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    assert len(outline.all("script")) == 2, "the data of the curves, and the script of the page"
    assert not [key for _, attributes in outline.elements for key in attributes if key.startswith("on")]
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in outline.all("img"))
    assert f"MDS{shown}" in outline.content
    written = (tmp_path / "report.html").read_text()
    assert not set(written) & {"\x1b", "\u202e"}
    card = write_model_card(page, tmp_path / "card.md").read_text()
    assert "<script>" not in re.sub(r"\\<", "", card)
    assert not set(card) & {"\x1b", "\u202e"}


def test_missing_parts_are_stated_and_open_in_the_checklists(make_study, tmp_path):
    maker = make_study(tmp_path, external=0)
    study = maker.write()
    (tmp_path / "smears" / "manifest.csv").unlink()
    write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    content = outline.content
    assert "exclusions cannot be counted" in content
    assert "There are no external patients" in content
    assert "so no variant was selected" in content
    assert "not available in this study: no patient is external" in content
    assert "not available in this study: the manifest has no clinical columns or was not found" in content
    assert not {"external", "patients", "maps", "variants"} & {
        attributes.get("id") for _, attributes in outline.elements
    }


def test_a_model_with_constant_probabilities_is_reported(make_study, tmp_path):
    study = make_study(tmp_path).write()
    file = study / "resnet18" / "fold-0" / "predictions.parquet"
    pd.read_parquet(file).assign(prob_MDS=0.25, prob_donor=0.75).to_parquet(file, index=False)
    write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    content = Outline((tmp_path / "report.html").read_text()).content
    assert "All images have the same probability in fold 0: the model has not learned" in content


def test_three_classes(make_study, tmp_path):
    maker = make_study(tmp_path, patients=54, classes=("donor", "MDS", "AML"))
    write_report(load_study(maker.write(("resnet18", "resnet34"))), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    assert "donor, MDS and AML" in outline.content
    assert "macro average, one class against all others" in outline.content
    assert "MDS against all others, patient level" in outline.content
    assert "thresholds are chosen for two classes only" in outline.content


def test_an_unfinished_study_is_refused(make_study, tmp_path):
    study = make_study(tmp_path).write()
    (study / "resnet18" / "fold-1" / "done.json").unlink()
    with pytest.raises(ValueError, match="fold 1 is not finished"):
        write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    assert not (tmp_path / "report.html").exists()


def test_differences_in_provenance_between_folds_are_reported(make_study, tmp_path):
    study = load_study(make_study(tmp_path, patients=6).write())
    runs = [run.directory for run in study.runs()]
    assert summarise_provenance(runs).differing == ()
    record = json.loads(runs[2].provenance.read_text())
    runs[2].provenance.write_text(json.dumps(record | {"git": "b" * 40, "packages": {"torch": "2.15.0"}}))
    summary = summarise_provenance(runs)
    assert set(summary.differing) == {"torch", "numpy", "code (git commit)"}
    assert summary.packages["torch"] == "2.14.1 / 2.15.0"
    assert summary.packages["numpy"] == "2.4.6 / not installed"


def test_unreadable_images_are_counted_in_the_flow(make_study, tmp_path):
    study = make_study(tmp_path, patients=12, external=0).write()
    for fold in range(3):
        run = study / "resnet18" / f"fold-{fold}"
        rows = pd.read_parquet(run / "predictions.parquet")
        rows[rows["image"] != "003_1.png"].to_parquet(run / "predictions.parquet")
        (run / "skipped.csv").write_text("image,reason\n003_1.png,is cut off\n")
    page = gather_page(load_study(study), Settings(n_resamples=100))
    assert (page.flow.unreadable.patients, page.flow.unreadable.images) == (1, 1)
    left_out = sum(one.images for one in page.flow.left_out)
    assert page.flow.manifest.images == page.flow.studied.images + left_out + 1
