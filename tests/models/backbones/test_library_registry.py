from pathlib import Path

import pytest
import torch

from mds_lightning.models.backbones import (
    BACKBONES,
    build_backbone,
    find_backbone,
    libraries,
    library_registry,
)


def test_a_name_with_a_tag_belongs_to_timm() -> None:
    backbone = find_backbone("resnet18.a1_in1k")
    assert (backbone.library, find_backbone("resnet18").library) == ("timm", "torchvision")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("resnet_18", "resnet18"), ("DenseNet-201", "densenet201"), ("squeezenet1_0", "squeezenet1_1")],
)
def test_the_error_for_an_unknown_name_suggests_similar_names(wrong: str, right: str) -> None:
    with pytest.raises(
        ValueError, match=rf"backbone.name={wrong} is unknown; did you mean .*\b{right}\b.*\?"
    ):
        build_backbone(wrong, 2)


def test_unknown_names_without_similar_ones_and_unknown_tags_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"backbone\.name=!! is unknown\. Give one of resnet18, .* classifier of timm$"
    ):
        find_backbone("!!")
    with pytest.raises(ValueError, match=r"no weights of that name; it has .*efficientnet_b0\.ra_in1k"):
        find_backbone("efficientnet_b0.mine")


def test_a_backbone_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        BACKBONES["resnet18"].name = "other"  # type: ignore[misc]


ANOTHER = """
import torch
from mds_lightning.models.backbones.library import Backbone


class Library:
    name = "another"
    backbones = {}

    def list_names(self):
        return ["logistic"]

    def find(self, name):
        return Backbone(name, "another", ("1",)) if name == "logistic" else None

    def create(self, backbone, num_classes, dropout):
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(num_classes))

    def fetch_weights(self, backbone):
        raise NotImplementedError


LIBRARY = Library()
"""


def test_a_library_is_added_with_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "another_library.py").write_text(ANOTHER)
    monkeypatch.setattr(libraries, "__path__", [*libraries.__path__, str(tmp_path)])
    found = library_registry.load_libraries()
    assert set(found) == set(library_registry.LIBRARIES) | {"another"}
    monkeypatch.setitem(library_registry.LIBRARIES, "another", found["another"])
    assert find_backbone("logistic").library == "another"
    assert build_backbone("logistic", 3)(torch.zeros(2, 3, 4, 4)).shape == (2, 3)
    with pytest.raises(ValueError, match="did you mean logistic"):
        find_backbone("logistics")
