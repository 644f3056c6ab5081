import pytest

from mds_lightning.explain.parameters import ExplanationParameters


def test_settings_of_version_0_1_0_are_read_where_removed_keys_had_no_effect():
    old = {"method": "occlusion", "window": 0.25, "mode": "exact", "tolerance": 0.1, "least_drop": 0.2}
    assert ExplanationParameters.from_settings(old) == ExplanationParameters(window=0.25, least_drop=0.2)


def test_a_removed_mode_is_refused():
    with pytest.raises(ValueError, match=r"explain.mode=adaptive was removed"):
        ExplanationParameters.from_settings({"mode": "adaptive", "tolerance": 0.5})


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match=r"explain.windw is not a setting"):
        ExplanationParameters.from_settings({"windw": 3})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"baseline": "grey"}, "choose one of background"),
        ({"least_drop": -1}, "give 0 or more"),
        ({"memory_gb": 0}, "above 0"),
        ({"window": ()}, "window is empty"),
        ({"faithfulness": -2}, "-1 for all"),
        ({"method": "captum_occlusion", "window": (8, 16)}, "takes one size"),
    ],
)
def test_values_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ExplanationParameters(**settings)


def test_crops_have_no_faithfulness_curves():
    ExplanationParameters().check_crops()
    with pytest.raises(ValueError, match=r"set explain.faithfulness=0"):
        ExplanationParameters(faithfulness=3).check_crops()
    with pytest.raises(ValueError, match=r"one explain.window"):
        ExplanationParameters(window=(8, 16)).check_crops()
