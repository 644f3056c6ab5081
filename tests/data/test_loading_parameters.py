import pytest

from mds_lightning.data.loading_parameters import LoadingParameters


@pytest.mark.parametrize(("key", "value"), [("batch_size", 0), ("num_workers", -1), ("max_pixels", 0)])
def test_a_loading_parameter_out_of_range_is_refused_by_its_key(key, value):
    with pytest.raises(ValueError, match=f"data.{key} is {value}"):
        LoadingParameters(size=(32, 32), **{key: value})


@pytest.mark.parametrize(("key", "value"), [("on_error", "ignore"), ("max_skipped", 1.5)])
def test_parameters_of_undecodable_images_are_validated(key, value):
    with pytest.raises(ValueError, match=f"data.{key} is "):
        LoadingParameters(size=(32, 32), **{key: value})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"view": "tile"}, "data.view is 'tile': choose whole, tiles, multi_scale"),
        ({"view": "tiles", "tile_overlap": 1.0}, "data.tile_overlap is 1.0: give a fraction"),
        ({"view": "tiles", "tile_overlap": -0.1}, "data.tile_overlap is -0.1: give a fraction"),
        (
            {"view": "multi_scale", "magnification": 2.0},
            "data.magnification is 2.0: give more than 0 and at most 1",
        ),
        ({"view": "tiles", "magnification": 0.0}, "data.magnification is 0.0: give more than 0"),
        ({"tile_overlap": 0.5}, "data.tile_overlap is 0.5, but data.view=whole uses no tiles"),
        ({"magnification": 0.5}, "data.magnification is 0.5, but data.view=whole uses no tiles"),
    ],
)
def test_invalid_views_are_refused_by_their_key(setting, message):
    with pytest.raises(ValueError, match=message):
        LoadingParameters(size=(32, 32), **setting)
