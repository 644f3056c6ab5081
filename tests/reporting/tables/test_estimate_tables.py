from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from mds_lightning.reporting.tables.characteristics import clinical_columns, tabulate_characteristics
from mds_lightning.reporting.tables.estimate_tables import (
    format_estimate,
    show_estimates,
    tabulate_performance,
    write_table,
)
from mds_lightning.statistics.estimates import Settings, estimate

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.97, 0.9511, 0.98), "0.970 [0.951, 0.980]"),
        ((NAN, NAN, NAN), "undefined"),
        ((0.5, NAN, NAN), "0.500 [no interval]"),
        ((1.0, 1.0, 1.0), "1.000 [no spread]"),
    ],
)
def test_format_estimate(values: tuple[float, float, float], text: str) -> None:
    assert format_estimate(*values) == text


def estimates(make_pooled: Any, signal: float = 1.5) -> pd.DataFrame:
    return estimate(make_pooled(signal=signal).split("test"), "held out", Settings(n_resamples=100))


def test_terminal_tables_fit_80_columns_without_truncation(make_pooled: Any) -> None:
    console = Console(width=80, record=True, file=StringIO())
    table = estimates(make_pooled)
    console.print(*show_estimates(table, "study [x]", 0.95))
    text = console.export_text()
    assert "…" not in text
    assert "study [x]: held out" in text
    for words in (
        "ROC-AUC, MDS",
        "ROC-AUC within folds, MDS",
        "Precision, donor",
        "120 image rows",
        "60 patients",
    ):
        assert words in text
    line = table.query("level == 'patient' and metric == 'accuracy'").iloc[0]
    assert f"{line['value']:.3f} [" in text


def test_a_perfect_ranking_has_no_spread_in_the_table(make_pooled: Any) -> None:
    console = Console(width=80, record=True, file=StringIO())
    console.print(*show_estimates(estimates(make_pooled, signal=30), "study", 0.95))
    text = console.export_text()
    assert "1.000 [no spread]" in text
    assert "too few patients or errors" in " ".join(text.split())


def test_published_results_are_shown_for_the_task_of_the_paper_only(make_pooled: Any) -> None:
    table = estimates(make_pooled)
    ours = tabulate_performance({"resnet18": table, "densenet201": table}, ("donor", "MDS"))
    assert ours["model"].tolist()[:4] == ["resnet18", "resnet18", "densenet201", "densenet201"]
    published = ours.iloc[-1]
    assert published["model"].startswith("densenet201 (doi")
    assert (published["ROC-AUC, MDS"], published["Accuracy"], published["Recall, MDS"]) == (
        "0.97",
        "0.98",
        "",
    )
    other = tabulate_performance({"resnet18": table}, ("donor", "AML"))
    assert not other["model"].str.contains("doi").any()


def test_tables_are_written_as_csv_markdown_and_latex(tmp_path: Path) -> None:
    table = pd.DataFrame({"a_b": ["1 & 2", "5%"], "n": [1, 2]})
    paths = write_table(table, tmp_path / "table1", "95% of them.")
    assert [path.name for path in paths] == ["table1.csv", "table1.md", "table1.tex"]
    markdown, latex = paths[1].read_text(), paths[2].read_text()
    assert "| 1 & 2 " in markdown
    assert markdown.startswith("95% of them.")
    assert r"a\_b" in latex
    assert r"1 \& 2" in latex
    assert r"95\% of them." in latex
    assert r"\toprule" in latex


def manifest() -> pd.DataFrame:
    """Ten patients: eight internal, two external; MDS patients have two images."""
    rows = []
    for k in range(10):
        label = "MDS" if k < 6 else "donor"
        for image in range(2 if label == "MDS" else 1):
            rows.append(
                {
                    "image": f"{k}_{image}.jpg",
                    "patient_id": f"p{k}",
                    "label": label,
                    "site": "",
                    "external": k in (4, 5),
                    "age": 50.0 + k,
                    "sex": "f" if k % 2 else "m",
                    "who": "MDS-LB" if label == "MDS" and k < 3 else ("MDS-5q" if label == "MDS" else None),
                }
            )
    return pd.DataFrame(rows)


def test_table_1_counts_patients_with_separate_external_columns() -> None:
    table = tabulate_characteristics(manifest())
    assert table.loc[0, ["all", "MDS", "donor", "MDS (external)"]].tolist() == ["10", "4", "4", "2"]
    age = table[table["characteristic"].str.startswith("age")].iloc[0]
    assert age["MDS"].startswith("51.5 [")
    assert age["donor"].startswith("57.5 [")
    female = table.index[table["value"] == "f"][0]
    assert table.loc[female, ["characteristic", "all"]].tolist() == ["sex, n (%)", "5 (50.0)"]
    who = table.index[table["characteristic"] == "who, n (%)"][0]
    rows = table.loc[who:].set_index("value")
    assert rows.loc["MDS-LB", "MDS"] == "3 (75.0)"
    assert rows.loc["not recorded", "donor"] == "4 (100.0)"


def test_clinical_columns_have_one_row_per_patient_and_no_constant_columns() -> None:
    rows = manifest().assign(blank="", same="x", mask="m.png")
    found = clinical_columns(rows)
    assert list(found.columns) == ["age", "sex", "who"]
    assert len(found) == 10
    assert found.loc["p3", "who"] == "MDS-5q"
