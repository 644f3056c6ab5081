"""The report as text: main result, escaping of user text, and statements on missing parts."""

import json
import re
import shutil
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning import load_study
from mds_lightning.reporting.page.contents import gather_page
from mds_lightning.reporting.page.html_report import render_report, write_report
from mds_lightning.statistics.estimates import Settings

from .outline import Outline

QUICK = Settings(n_resamples=100)
DATE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def page(made_study, tmp_path_factory):
    return write_report(load_study(made_study), QUICK, tmp_path_factory.mktemp("page") / "report.html", DATE)


@pytest.fixture(scope="module")
def outline(page):
    return Outline(render_report(page, DATE))


def test_the_report_starts_with_the_patient_auc_and_the_study_population(made_study, outline):
    rows = pd.concat(
        pd.read_parquet(file) for file in sorted((made_study / "resnet18").glob("*/predictions.parquet"))
    )
    test = rows[rows["split"] == "test"].groupby(["fold", "patient_id"])[["target", "prob_MDS"]].mean()
    folds = [roc_auc_score(one["target"], one["prob_MDS"]) for _, one in test.groupby("fold")]
    expected = f"{sum(folds) / 3:.3f}"
    opening = outline.content.split("Study population")[2]
    answer = outline.content.split("Main result")[2]
    assert answer.index(expected) < 100
    assert f"range over the 3 folds: {min(folds):.3f} to {max(folds):.3f}" in answer
    assert (
        "These 3 models: each model ranks a random MDS patient of its own test fold above a random donor "
        f"patient of that fold with probability {expected}" in answer
    )
    assert "Weights in each fold: the epoch with the largest ROC-AUC on validation images" in answer
    assert "48 patients, 96 images" in answer
    assert "24 donor, 24 MDS" in answer
    assert "55 patients, 109 images" in opening, "the manifest contains patients of another label"
    assert "Excluded: lymphoma" in opening
    assert "label not part of the task" in opening


def test_a_prevalence_has_a_table_and_a_line_in_the_main_result(made_study):
    page = gather_page(load_study(made_study), Settings(n_resamples=100, prevalence=0.1))
    text = Outline(render_report(page, DATE)).content
    assert "Positive predictive value at a prevalence of 0.1" in text.split("Study population")[1]
    assert "Net benefit per patient at a prevalence of 0.1" in text
    assert "prevalence=0.1" in text


def test_models_that_have_not_learned_are_a_limitation(made_study, tmp_path):
    study = Path(shutil.copytree(made_study.parent.parent, tmp_path / "moved")) / "runs" / "made"
    for file in study.glob("*/*/metrics.csv"):
        table = pd.read_csv(file)
        file.write_text(table.assign(**{"train/loss": 0.69}).to_csv(index=False))
    cautions = gather_page(load_study(study), QUICK).cautions
    assert (
        sum("has not learned: its training loss in the last epoch is 0.690" in one for one in cautions) == 3
    )
    assert not any("alone separates" in one for one in cautions), "sex, age and site are balanced"


def test_the_counts_behind_each_point_of_a_curve_are_those_of_the_rows(page, outline):
    text = render_report(page, DATE)
    data = json.loads(re.search(r'id="roc-data">(.*?)</script>', text, re.S).group(1))
    patients = page.evidence.test["patient"]
    score, positive = patients.probabilities[:, 1], patients.target == 1
    pooled = data[0]["curves"][-1]
    assert (data[0]["rows"], pooled["positives"], pooled["negatives"]) == ("patients", 24, 24)
    for threshold, true_positives, false_positives in pooled["points"]:
        predicted = score >= threshold - 1e-6
        assert (true_positives, false_positives) == (
            (predicted & positive).sum(),
            (predicted & ~positive).sum(),
        )


def test_every_section_exists_and_every_link_has_a_target(outline):
    places = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    links = [attributes["href"] for attributes in outline.all("a")]
    assert {link.removeprefix("#") for link in links} <= places
    assert {
        "answer", "selection", "cautions", "cohort", "folds", "patients", "performance", "roc", "confusion",
        "thresholds", "external", "calibration", "decision", "variants", "subgroups", "sites",
        "maps", "training", "provenance", "checklists",
    } <= places  # fmt: skip
    assert len(outline.all("img")) >= 8
    assert all(image["alt"] for image in outline.all("img"))


def test_the_page_is_accessible(outline):
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(header.get("scope") in ("row", "col") for header in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    for drawing in outline.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing["role"] == "img" and drawing["aria-label"])
    labels = {attributes.get("for") for attributes in outline.all("label")}
    for control in outline.all("input"):
        assert control.get("aria-label") or control["id"] in labels
    assert next(iter(outline.all("html")))["lang"] == "en"


def test_the_page_requests_nothing_from_the_network(outline):
    for tag, attributes in outline.elements:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(key) or "#"
            assert value.startswith(("#", "data:")), (tag, key, value[:80])
    assert "default-src 'none'" in str(outline.all("meta"))


def test_the_report_is_reproducible(page, made_study, tmp_path):
    again = write_report(load_study(made_study), QUICK, tmp_path / "again.html", DATE)
    text = (tmp_path / "again.html").read_text()
    assert text == render_report(page, DATE)
    later = render_report(again, datetime(2027, 2, 3, tzinfo=UTC))
    assert later.replace("2027-02-03", "2026-01-01") == text
