from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.reporting.tables.localization_table import measure_localization, summarise_localization


@pytest.fixture
def study(tmp_path, save_map):
    """Map files by method: one map of 8 x 16 pixels, important on the right, of an image twice as large."""
    Image.fromarray(np.zeros((16, 32, 3), np.uint8)).save(tmp_path / "field.png")
    mask = np.zeros((16, 32), np.uint8)
    mask[:, 16:24], mask[:, 24:] = 2, 3
    Image.fromarray(mask).save(tmp_path / "mask.png")
    row = {"image": "field.png", "label": "MDS", "mask": "mask.png", "boxes": "[[0, 0, 16, 16]]"}
    rows = SimpleNamespace(table=pd.DataFrame([row]), root=tmp_path)

    def write(name, drops):
        image = ExplainedImage("field.png", 0, "test", 0, 1)
        drops = np.array(drops, np.float32)
        save_map(tmp_path / name, image, ("donor", "MDS"), np.array([0.2, 0.8], np.float32), drops)
        return tmp_path / name

    return write, rows


DROPS = [[[0.0, 0.0]], [[-0.2, 0.6]]]


def test_importance_is_attributed_to_the_regions_of_mask_and_boxes(study):
    write, rows = study
    table = measure_localization({"occlusion": [write("field.npz", DROPS)]}, rows).set_index("region")
    assert set(table["method"]) == {"occlusion"}
    assert table.loc["background", ["importance", "area"]].tolist() == pytest.approx([0.0, 0.5])
    assert table.loc["cell", ["importance", "area"]].tolist() == pytest.approx([1.0, 0.5])
    assert table.loc["nucleus", ["importance", "area"]].tolist() == pytest.approx([0.5, 0.25])
    assert table.loc["boxes", ["importance", "area"]].tolist() == pytest.approx([0.0, 0.5])
    assert table.loc["cell", "ratio"] == pytest.approx(2.0)


def test_a_map_without_importance_is_undefined_and_left_out_of_the_means(study):
    write, rows = study
    files = [write("field.npz", DROPS), write("nothing.npz", [[[0.0, 0.0]], [[0.0, 0.0]]])]
    table = measure_localization({"occlusion": files}, rows)
    assert table["importance"].isna().sum() == table["region"].nunique()
    assert (summarise_localization(table)["maps"] == 1).all()
