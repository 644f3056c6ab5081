"""Large fields, from the command to the rows."""

import numpy as np
import pandas as pd
import yaml


def test_studies_of_large_fields_leave_a_row_an_image(workplace, mds_lightning, small):
    views = ("study=views", "data.view=tiles,multi_scale", "variant=${data.view}", "data.tile_overlap=0.2")
    # Of two steps SqueezeNet has learnt nothing that tells images apart.
    quick = ("trainer=smoke", "backbone=shufflenet_v2_x0_5", "callbacks.occlusion_maps.images=1", "fold=1")
    done = mds_lightning("train", "-m", *small, *views, *quick, cwd=workplace)
    assert done.returncode == 0, done.stderr
    whole = pd.read_parquet(workplace / "runs/small/squeezenet1_1/fold-1/predictions.parquet")
    for view in ("tiles", "multi_scale"):
        run = workplace / "runs/views" / view / "fold-1"
        assert yaml.safe_load((run / "config.yaml").read_text())["data"]["view"] == view
        rows = pd.read_parquet(run / "predictions.parquet")
        assert rows["image"].tolist() == whole["image"].tolist()
        assert rows["image"].is_unique
        np.testing.assert_allclose(rows["prob_MDS"] + rows["prob_donor"], 1, atol=1e-6)
        assert rows["prob_MDS"].std() > 0
        assert len([*run.glob("occlusion/*.npz")]) == 1


def test_fields_without_room_for_a_tile_are_refused_before_anything_is_trained(
    workplace, mds_lightning, small
):
    large = ("study=wrong", "data.view=tiles", "data.image_size=[64,161]")
    refused = mds_lightning("train", *small, *large, cwd=workplace)
    assert refused.returncode == 2
    assert "images are smaller than a tile of 161 x 64 pixels (data.image_size)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not [*(workplace / "runs/wrong").rglob("*.ckpt")]
