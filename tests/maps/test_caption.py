import numpy as np

from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.caption import write_remark, write_title
from mds_lightning.maps.explained_image import ExplainedImage

DROPS = np.array([[[0.0, 0.1]], [[0.0, 0.3]]], np.float32)
CLASSES, PROBABILITIES = ("donor", "MDS"), np.array([0.2, 0.8], np.float32)


def make(save_map, tmp_path, parameters, **about):
    image = ExplainedImage("a.jpg", 2, **({"target": 1, "label": "MDS"} | about))
    return save_map(tmp_path / "a.npz", image, CLASSES, PROBABILITIES, DROPS, parameters)


def test_the_title_states_image_class_method_and_model(save_map, tmp_path):
    title = write_title(make(save_map, tmp_path, ExplanationParameters())).splitlines()
    assert title[0] == "a.jpg   MDS: 0.80   labelled MDS"
    assert title[1].startswith("occlusion: explains the probability, windows of 16 pixels every 8, ")
    assert title[2] == "explained by the model of fold 2, which was not trained on this patient"


def test_a_foreign_image_is_marked(save_map, tmp_path):
    one = make(save_map, tmp_path, ExplanationParameters(), origin="foreign", target=-1, label="")
    assert "not labelled" in write_title(one)
    assert "NOT IN THE COHORT" in write_title(one)


def test_a_faint_map_is_marked(save_map, tmp_path):
    weak = write_remark(make(save_map, tmp_path, ExplanationParameters(least_drop=0.9)))
    assert weak == "no single region is decisive: the largest drop of the probability is 0.300"
    assert write_remark(make(save_map, tmp_path, ExplanationParameters())).startswith("largest drop")


def test_methods_without_drops_state_their_range(save_map, tmp_path):
    one = make(save_map, tmp_path, ExplanationParameters("layer_gradcam"))
    assert write_remark(one) == "0 to 1 stands for 0 to 0.3"
