import pytest
import torch
from torch.nn import functional

from mds_lightning.models.backbones import BACKBONES, build_backbone
from mds_lightning.models.backbones.heads import feature_parameters, head_parameters


@pytest.mark.parametrize("name", BACKBONES)
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


@pytest.mark.parametrize(
    ("classes", "dropout", "named"), [(0, 0.0, "num_classes"), (2, 1.0, "classifier.dropout")]
)
def test_numbers_out_of_range_are_refused(classes: int, dropout: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        build_backbone("squeezenet1_1", classes, dropout=dropout)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_dropout_acts_in_training_only_and_keeps_the_state_dict_keys(name: str) -> None:
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


def test_the_same_seed_gives_the_same_network() -> None:
    def build(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build_backbone("shufflenet_v2_x0_5", 2).state_dict()

    first, again, other = build(1), build(1), build(2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)
