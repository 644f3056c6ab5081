import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as torchvision

from mds_lightning.data.colour_matrix import colour_matrix

#: Middle values, which no shift below cuts at black or white.
PIXELS = np.random.default_rng(0).integers(90, 160, (20, 30, 3)).astype(np.float64)
MEAN = PIXELS.mean(axis=(0, 1))


def shifted(**shifts):
    neutral = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    matrix = colour_matrix(MEAN, **neutral | shifts)
    return PIXELS @ matrix[:, :3].T + matrix[:, 3]


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
@pytest.mark.parametrize("factor", [0.8, 1.0, 1.2])
def test_each_factor_agrees_with_torchvision(name, factor):
    image = torch.from_numpy(PIXELS / 255).permute(2, 0, 1)
    expected = getattr(torchvision, f"adjust_{name}")(image, factor).permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(shifted(**{name: factor}), expected, atol=0.05)


def test_hue_rotates_colours_and_keeps_luma():
    luma = np.array([0.299, 0.587, 0.114])
    turned = shifted(hue=0.1)
    np.testing.assert_allclose(turned @ luma, PIXELS @ luma, atol=0.05)
    assert np.abs(turned - PIXELS).max() > 5
    np.testing.assert_allclose(shifted(hue=1.0), PIXELS, atol=0.05)


def test_red_shifts_towards_yellow_as_in_torchvision():
    pixels = np.array([[[170.0, 110.0, 110.0]]])
    matrix = colour_matrix(pixels[0, 0], 1, 1, 1, 0.05)
    ours = matrix[:, :3] @ pixels[0, 0] + matrix[:, 3] - pixels[0, 0]
    image = torch.from_numpy(pixels / 255).permute(2, 0, 1)
    theirs = torchvision.adjust_hue(image, 0.05).permute(1, 2, 0).numpy()[0, 0] * 255 - pixels[0, 0]
    # torchvision keeps the maximum channel, this function the luma: a common offset is ignored.
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.8


def test_without_saturation_everything_is_grey():
    grey = shifted(saturation=0.0)
    np.testing.assert_allclose(grey[..., 0], grey[..., 1], atol=0.05)
    np.testing.assert_allclose(grey[..., 0], grey[..., 2], atol=0.05)
