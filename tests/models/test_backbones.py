import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import get_model_weights

from mds_lightning.models.backbones import BACKBONES, Backbone, build_backbone, create_network, find_backbone
from mds_lightning.models.heads import DropoutLinear, feature_parameters, head_parameters

PAPER = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
]


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_paper_s_sixteen_are_there() -> None:
    assert list(BACKBONES) == PAPER
    assert all(backbone.name == name for name, backbone in BACKBONES.items())


@pytest.mark.parametrize("name", PAPER)
def test_published_parameter_count_and_normalisation(name: str) -> None:
    published = get_model_weights(name)["IMAGENET1K_V1"]
    with torch.device("meta"):
        network = build_backbone(name, 1000)
    backbone = BACKBONES[name]
    assert backbone.n_parameters == published.meta["num_params"] == count_parameters(network)
    transforms = published.transforms()
    assert list(backbone.mean) == transforms.mean
    assert list(backbone.std) == transforms.std


@pytest.mark.parametrize("name", PAPER)
def test_one_training_step(name: str) -> None:
    torch.manual_seed(0)
    network = build_backbone(name, 3).train()
    images, target = torch.randn(2, 3, 64, 64), torch.tensor([0, 2])
    logits = network(images)
    assert logits.shape == (2, 3)
    functional.cross_entropy(logits, target).backward()
    heads = BACKBONES[name].heads
    head = dict(head_parameters(network, heads))
    features = dict(feature_parameters(network, heads))
    assert {value.shape[0] for value in head.values()} == {3}
    assert sorted(value.ndim for value in head.values())[0] == 1
    assert len(head) == 2
    assert len(head) + len(features) == len(list(network.parameters()))
    before = network.get_parameter(next(iter(features))).detach().clone()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert not torch.equal(before, network.get_parameter(next(iter(features))))


def test_another_name_is_timm_s() -> None:
    network = build_backbone("mobilenetv3_small_050", 2, dropout=0.3)
    backbone = find_backbone("mobilenetv3_small_050")
    assert backbone.library == "timm"
    assert backbone.input_size is None
    assert [value.shape[0] for _, value in head_parameters(network, backbone.heads)] == [2, 2]
    assert network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    assert network.drop_rate == 0.3


def test_a_name_with_a_tag_is_timm_s_even_where_the_paper_has_it() -> None:
    backbone = find_backbone("resnet18.a1_in1k")
    assert (backbone.library, find_backbone("resnet18").library) == ("timm", "torchvision")


def test_a_distilled_transformer_has_two_heads_and_one_input_size() -> None:
    backbone = find_backbone("deit_tiny_distilled_patch16_224")
    assert backbone.heads == ("head", "head_dist")
    assert backbone.input_size == (224, 224)
    with torch.device("meta"):
        network = create_network(backbone, 5)
    assert {name for name, _ in head_parameters(network, backbone.heads)} == {
        f"{head}.{kind}" for head in backbone.heads for kind in ("weight", "bias")
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("resnet_18", "resnet18"), ("DenseNet-201", "densenet201"), ("squeezenet1_0", "squeezenet1_1")],
)
def test_an_unknown_name_gets_near_matches(wrong: str, right: str) -> None:
    with pytest.raises(
        ValueError, match=rf"backbone.name={wrong} is unknown; did you mean .*\b{right}\b.*\?"
    ):
        build_backbone(wrong, 2)


def test_an_unknown_name_without_near_matches_and_an_unknown_tag() -> None:
    with pytest.raises(ValueError, match=r"backbone\.name=!! is unknown\. The paper's are resnet18"):
        find_backbone("!!")
    with pytest.raises(ValueError, match=r"timm has no weights of that name, but .*efficientnet_b0\.ra_in1k"):
        find_backbone("efficientnet_b0.mine")


@pytest.mark.parametrize("name", ["qwen3_vit_88m_enc", "gemma4_vit_570m_enc"])
def test_a_network_without_a_classifier_is_refused(name: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=f"{name} (has|is) no classifier"):
        build_backbone(name, 2)


@pytest.mark.parametrize(
    ("classes", "dropout", "named"), [(0, 0.0, "num_classes"), (2, 1.0, "classifier.dropout")]
)
def test_numbers_out_of_range_are_refused(classes: int, dropout: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        build_backbone("squeezenet1_1", classes, dropout=dropout)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_dropout_acts_in_training_only_and_changes_no_name(name: str) -> None:
    torch.manual_seed(0)
    plain = build_backbone(name, 2).eval()
    torch.manual_seed(0)
    dropped = build_backbone(name, 2, dropout=0.5).eval()
    assert plain.state_dict().keys() == dropped.state_dict().keys()
    # Brighter than noise, so that the rectifier after SqueezeNet's head passes some of it.
    images = torch.rand(4, 3, 64, 64)
    head = BACKBONES[name].heads[0]
    inputs: list[torch.Tensor] = []
    module = dropped.get_submodule(head)
    module.register_forward_hook(lambda _, given, out: inputs.append(out.detach()))
    with torch.no_grad():
        assert torch.equal(plain(images), dropped(images))
        module.train()
        dropped(images)
        dropped(images)
    assert torch.equal(inputs[0].flatten(), plain(images).flatten())
    assert not torch.equal(inputs[1], inputs[2])


def test_without_dropout_squeezenet_drops_nothing() -> None:
    with torch.device("meta"):
        network = build_backbone("squeezenet1_1", 2)
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.0]


def test_dropout_scales_what_it_keeps() -> None:
    linear = nn.Linear(1000, 1, bias=False)
    nn.init.ones_(linear.weight)
    layer = DropoutLinear(linear, 0.25)
    torch.manual_seed(0)
    assert float(layer(torch.ones(1, 1000)).detach()) == pytest.approx(1000, rel=0.05)
    assert "dropout=0.25" in repr(layer)


def test_the_same_seed_gives_the_same_network() -> None:
    def build(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build_backbone("shufflenet_v2_x0_5", 2).state_dict()

    first, again, other = build(1), build(1), build(2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_a_backbone_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        BACKBONES["resnet18"].name = "other"  # type: ignore[misc]
    assert isinstance(BACKBONES["resnet18"], Backbone)
