import pytest
import torch

from mds_lightning.explain.baselines import background_colour, cover


def field_with_cells(dtype=torch.uint8):
    """Mostly dark cells on glass of one colour, with a little noise."""
    image = torch.tensor([110, 60, 120]).view(3, 1, 1).expand(3, 40, 60).clone()
    image[:, :14] = torch.tensor([230, 215, 225]).view(3, 1, 1)
    image[:, 14:17] = torch.tensor([190, 120, 140]).view(3, 1, 1)
    noise = torch.randint(-1, 2, image.shape, generator=torch.Generator().manual_seed(0))
    return (image + noise).to(dtype)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_background_is_the_glass_even_where_cells_cover_most_of_it(dtype):
    colour = background_colour(field_with_cells(dtype))
    torch.testing.assert_close(colour, torch.tensor([230.0, 215.0, 225.0]), atol=1.5, rtol=0)


def test_every_field_has_its_own_background():
    images = torch.stack([field_with_cells(), field_with_cells() // 2])
    covers = cover(images, "background")
    assert covers.dtype == torch.uint8
    torch.testing.assert_close(
        covers[0, :, 0, 0].float(), torch.tensor([230.0, 215.0, 225.0]), atol=2, rtol=0
    )
    assert (covers[1].flatten(1).float().std(1) == 0).all()
    assert covers[1, 0, 0, 0] < 120


def test_blur_keeps_the_mean_and_loses_the_detail():
    images = torch.randint(
        0, 256, (1, 3, 64, 48), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    blurred = cover(images, "blur").float()
    assert abs(blurred.mean() - images.float().mean()) < 2
    assert blurred.std() < 0.15 * images.float().std()


def test_a_constant_field_is_its_own_cover():
    images = torch.full((1, 3, 5, 7), 9, dtype=torch.uint8)
    for baseline in ("background", "blur"):
        assert torch.equal(cover(images, baseline), images)


def test_a_colour_and_an_image_fill():
    images = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    assert cover(images, torch.tensor([1.4, 2.6, 300.0]))[1, :, 3, 4].tolist() == [1, 3, 255]
    assert torch.equal(
        cover(images, "mean", torch.tensor([7.0, 8.0, 9.0]))[0, :, 0, 0], torch.tensor([7, 8, 9])
    )
    picture = torch.arange(60.0).view(3, 4, 5)
    assert torch.equal(cover(images.float(), picture)[1], picture)
    assert cover(images, "zero") is None


@pytest.mark.parametrize(
    ("baseline", "message"),
    [("mean", "mean colour"), ("black", "background, blur, mean, zero"), (torch.zeros(4, 4), "does not fit")],
)
def test_what_cannot_cover_is_refused(baseline, message):
    with pytest.raises(ValueError, match=message):
        cover(torch.zeros(1, 3, 4, 5), baseline)
