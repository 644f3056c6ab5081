import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mds_lightning.maps.overlay import scale_importance
from mds_lightning.reporting.tables.localization_table import measure_attention, summarise_attention
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.manifest_rows import ManifestRows


@pytest.fixture
def study(tmp_path):
    """One map of 8 x 16 pixels whose right half matters, for an image of twice the size."""
    Image.fromarray(np.zeros((16, 32, 3), np.uint8)).save(tmp_path / "field.png")
    mask = np.zeros((16, 32), np.uint8)
    mask[:, 16:24], mask[:, 24:] = 2, 3
    Image.fromarray(mask).save(tmp_path / "mask.png")
    run = RunDirectory(tmp_path / "fold-0")
    run.occlusion.mkdir(parents=True)
    drops = np.array([[[0.0, 0.0]], [[-0.2, 0.6]]], np.float32)
    importance = scale_importance(drops).repeat(8, 1).repeat(8, 2)
    np.savez(
        run.occlusion / "field.npz", importance=importance, low=drops.min((1, 2)), high=drops.max((1, 2)),
        classes=np.array(["donor", "MDS"]), image=np.array("field.png"), fold=np.array(0), window=np.array(8),
        stride=np.array(8), **{"class": np.array("MDS")},
    )  # fmt: skip
    row = {"image": "field.png", "label": "MDS", "mask": "mask.png", "boxes": "[[0, 0, 16, 16]]"}
    return run, ManifestRows(pd.DataFrame([row]), tmp_path)


def test_importance_is_shared_out_over_the_regions_of_mask_and_boxes(study):
    run, rows = study
    table = measure_attention([run], rows).set_index("region")
    assert table.loc["background", ["importance", "area"]].tolist() == pytest.approx([0.0, 0.5])
    assert table.loc["cell", ["importance", "area"]].tolist() == pytest.approx([1.0, 0.5])
    assert table.loc["nucleus", ["importance", "area"]].tolist() == pytest.approx([0.5, 0.25])
    assert table.loc["boxes", ["importance", "area"]].tolist() == pytest.approx([0.0, 0.5])
    assert table.loc["cell", "ratio"] == pytest.approx(2.0)


def test_a_map_without_importance_has_no_share_and_is_left_out_of_the_means(study):
    run, rows = study
    with np.load(run.occlusion / "field.npz") as arrays:
        np.savez(
            run.occlusion / "nothing.npz", **{**arrays, "high": arrays["low"] * 0, "low": arrays["low"] * 0}
        )
    table = measure_attention([run], rows)
    assert table["importance"].isna().sum() == table["region"].nunique()
    assert (summarise_attention(table)["maps"] == 1).all()
