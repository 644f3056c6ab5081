import json
import time

import pytest
import wandb

from mds_lightning.tracking.tracked import TrackedStudy
from mds_lightning.tracking.wandb_dashboard import PublicationError, publish_dashboard

from .wandb_stub import KEY, serve

SEARCH = TrackedStudy("search", "smears", {"classifier.learning_rate": (1e-4, 1e-2)})
TITLE = "search: folds and backbones"


@pytest.fixture
def stub(monkeypatch):
    with serve() as stub:
        monkeypatch.setenv("WANDB_BASE_URL", stub.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        # W&B keeps the settings that a process started with.
        wandb.teardown()
        yield stub
    wandb.teardown()


def test_a_new_dashboard_shows_the_runs_of_the_study(stub):
    url = publish_dashboard(SEARCH, None, timeout=30)
    assert url == f"{stub.url}/lab/smears/reports/search:-folds-and-backbones--new"
    assert json.loads(stub.sent["Runs"]["filters"]) == {"group": "search"}
    saved = stub.sent["upsertView"]
    assert (saved["id"], saved["entityName"], saved["projectName"]) == (None, "lab", "smears")
    blocks = json.loads(saved["spec"])["blocks"]
    run_sets = [one for block in blocks for one in block.get("metadata", {}).get("runSets", [])]
    assert len(run_sets) == 4
    for runs in run_sets:
        [only] = runs["filters"]["filters"]
        assert (only["key"]["name"], only["op"], only["value"]) == ("group", "=", "search")
        assert runs["project"] == {"id": "17", "name": "smears", "entityName": "lab"}
    assert "config:settings.value.classifier.learning_rate" in saved["spec"]
    assert '"test/' not in saved["spec"]


def test_a_published_dashboard_is_replaced(stub):
    stub.reports = {"other": "1", TITLE: "2"}
    publish_dashboard(SEARCH, None, timeout=30)
    assert stub.sent["upsertView"]["id"] == "2"


def test_a_comparison_of_backbones_has_no_plot_of_settings(stub):
    publish_dashboard(TrackedStudy("search", "smears", {"backbone.name": ("a", "b")}), None, timeout=30)
    assert "Parallel Coordinates Plot" not in stub.sent["upsertView"]["spec"]


def test_the_given_entity_is_used(stub):
    publish_dashboard(SEARCH, "team", timeout=30)
    assert stub.sent["upsertView"]["entityName"] == "team"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runs": 0}, "lab/smears contains no run of the study search"),
        ({"runs": None}, "Could not find project smears"),
        ({"status": 401}, "401"),
    ],
)
def test_a_refusal_is_reported_and_nothing_is_published(stub, change, message):
    vars(stub).update(change)
    with pytest.raises(PublicationError, match=message):
        publish_dashboard(SEARCH, None, timeout=30)
    assert "upsertView" not in stub.sent


def test_a_silent_server_is_given_up_in_time(stub):
    stub.silent.set()
    began = time.monotonic()
    with pytest.raises(PublicationError, match="W&B"):
        publish_dashboard(SEARCH, None, timeout=1)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", ["it's", "lr=0.1", "a\\b", "a<b"])
def test_a_name_that_w_and_b_cannot_filter_by_is_refused(name):
    with pytest.raises(PublicationError, match="cannot select the runs"):
        publish_dashboard(TrackedStudy(name, "smears", {}), None, timeout=30)
