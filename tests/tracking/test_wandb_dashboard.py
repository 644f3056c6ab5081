import json

import pytest
from wandb_workspaces.reports.v2 import Report
from wandb_workspaces.reports.v2.internal import ReportViewspec

from mds_lightning.tracking.tracked import TrackedStudy
from mds_lightning.tracking.wandb_dashboard import Dashboard, build_dashboard, run_sets, write_dashboard

SEARCH = TrackedStudy(
    "search", "smears", {"classifier.learning_rate": (1e-4, 1e-2), "sampling.name": ("balanced", "natural")}
)


def _panels(spec):
    grids = [block["metadata"] for block in spec["blocks"] if block["type"] == "panel-grid"]
    return [panel for grid in grids for panel in grid["panelBankSectionConfig"]["panels"]]


def test_the_file_says_all_of_the_dashboard_and_wandb_reads_it_back(tmp_path):
    built = build_dashboard(SEARCH)
    write_dashboard(built, tmp_path / "d.json")
    again = Dashboard(**json.loads((tmp_path / "d.json").read_text()))
    assert again == built
    project = {"name": again.project}
    view = ReportViewspec.model_validate({"displayName": again.title, "project": project, "spec": again.spec})
    report = Report._from_model(view)
    report.width = "fluid"
    assert report._to_model().spec.model_dump(mode="json", by_alias=True, exclude_none=True) == built.spec


def test_a_search_gets_its_settings_and_a_comparison_of_backbones_does_not():
    drawn = {panel["viewType"]: panel for panel in _panels(build_dashboard(SEARCH).spec)}
    columns = drawn["Parallel Coordinates Plot"]["config"]["columns"]
    assert [(column["accessor"], column.get("log")) for column in columns] == [
        ("config:settings.value.classifier.learning_rate", True),
        ("config:settings.value.sampling.name", None),
        ("summary:best/val_auroc", None),
    ]
    backbones = TrackedStudy("b", "smears", {"backbone.name": ("resnet18", "resnet34")})
    kinds = [panel["viewType"] for panel in _panels(build_dashboard(backbones).spec)]
    assert kinds == ["Bar Chart", *["Run History Line Plot"] * 4]


def test_bars_span_the_folds_and_curves_are_one_a_fold():
    bar, band, *curves = [panel["config"] for panel in _panels(build_dashboard(SEARCH).spec)][:5]
    for grouped in (bar, band):
        assert (grouped["groupBy"], grouped["groupAgg"], grouped["groupArea"]) == (
            "variant.value", "mean", "minmax",
        )  # fmt: skip
    assert [curve["metrics"] for curve in curves] == [["val/auroc"], ["val/loss"], ["train/loss"]]
    assert not any("groupBy" in curve for curve in curves)


@pytest.mark.parametrize("name", ["mds_vs_donor", "it's", 'a "b"', "lr=0.1", "a<b and c"])
def test_every_set_of_runs_is_the_studys_and_no_test_figure_is_shown(name):
    spec = build_dashboard(TrackedStudy(name, "smears", SEARCH.compared)).spec
    sets = list(run_sets(spec))
    assert len(sets) == 4
    for runs in sets:
        [only] = runs["filters"]["filters"]
        assert (only["key"], only["op"], only["value"]) == ({"section": "run", "name": "group"}, "=", name)
    assert [key["name"] for key in sets[-1]["grouping"]] == ["group", "variant.value", "fold.value"]
    assert '"test/' not in json.dumps(spec)


def test_one_study_has_one_name():
    assert build_dashboard(SEARCH).name == build_dashboard(SEARCH).name
    assert build_dashboard(SEARCH).name != build_dashboard(TrackedStudy("other", "smears", {})).name
