"""Large fields, from the command to the report's words."""

import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.study


@pytest.mark.parametrize("view", ["tiles", "multi_scale"])
def test_a_study_of_large_fields_leaves_a_row_an_image(workplace, mds_lightning, small, view):
    smoke = ("trainer=smoke", "data.tile_overlap=0.2", "callbacks.occlusion_maps.images=1")
    done = mds_lightning(
        "train", f"study={view}", *small, f"data.view={view}", *smoke, "fold=1", cwd=workplace
    )
    assert done.returncode == 0, done.stderr
    run = workplace / "runs" / view / "squeezenet1_1/fold-1"
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["view"] == view
    rows = pd.read_parquet(run / "predictions.parquet")
    whole = pd.read_parquet(workplace / "runs/small/squeezenet1_1/fold-1/predictions.parquet")
    assert rows["image"].tolist() == whole["image"].tolist()
    assert rows["image"].is_unique
    assert not rows["prob_MDS"].equals(whole["prob_MDS"])
    assert len([*run.glob("occlusion/*.npz")]) == 1


def test_a_wrong_view_is_refused_before_anything_is_trained(workplace, mds_lightning, small):
    large = mds_lightning(
        *("train", "study=wrong", *small, "data.view=tiles", "data.image_size=[64,161]"), cwd=workplace
    )
    assert large.returncode == 2
    assert "images are smaller than a tile of 161 x 64 pixels (data.image_size)" in large.stderr
    assert "Traceback" not in large.stderr
