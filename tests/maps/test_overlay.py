from io import BytesIO

import numpy as np
from PIL import Image

from mds_lightning.maps.overlay import render_overlay, scale_importance


def test_importance_is_scaled_map_by_map():
    scaled = scale_importance(np.array([[[-1.0, 0.0, 3.0]], [[5.0, 5.0, 5.0]]]))
    np.testing.assert_allclose(scaled, [[[0, 0.25, 1]], [[0, 0, 0]]])
    assert scaled.dtype == np.float32


def test_importance_is_red_and_the_image_is_beside_it():
    image = np.full((96, 128, 3), 200, dtype=np.uint8)
    image[:48, :64] = (90, 40, 130)
    importance = np.zeros((96, 128), dtype=np.float32)
    importance[:48, :64] = 1
    first, second = (render_overlay(image, importance, "ü α.jpg", "remark") for _ in range(2))
    assert first == second
    drawn = np.asarray(Image.open(BytesIO(first)).convert("RGB")).astype(int)
    height, width, _ = drawn.shape
    assert width > 2 * height
    red = (drawn[..., 0] > drawn[..., 2] + 60) & (drawn[..., 0] > drawn[..., 1] + 60)
    map_half, field_half = red[:, width // 2 : int(width * 0.85)], red[:, : int(width * 0.4)]
    assert map_half.mean() > 0.1
    assert field_half[int(height * 0.15) : int(height * 0.85)].mean() < 0.01
    purple = (abs(drawn - (90, 40, 130)) < 12).all(-1)
    assert purple[:, : int(width * 0.4)].mean() > 0.1


def test_a_constant_map_is_drawn():
    drawn = render_overlay(np.zeros((40, 30, 3), dtype=np.uint8), np.zeros((40, 30), dtype=np.float32))
    pixels = np.asarray(Image.open(BytesIO(drawn)).convert("RGB")).astype(int)
    red = (pixels[..., 0] > pixels[..., 2] + 60) & (pixels[..., 0] > pixels[..., 1] + 60)
    assert red[:, : int(pixels.shape[1] * 0.7)].mean() < 0.01
