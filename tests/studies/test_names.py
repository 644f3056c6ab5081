import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mds_lightning.studies.names import refuse_unusable_name

KEYS = st.sampled_from(["study", "variant"])


@pytest.mark.parametrize("name", ["demo", "1e3", "MDS_vs_AML-2.1", "Düsseldorf 2", "_x", "densenet121+stain"])
def test_usual_names_are_accepted(name):
    refuse_unusable_name("study", name)
    refuse_unusable_name("variant", name)


@given(KEYS, st.text(max_size=30))
@example("study", "proj/x")
@example("study", "/proj/fold-1/")
@example("variant", "trial-fold-3")
@example("variant", "evaluation")
@example("variant", "\u202eabc")
@example("study", "ä" * 200)
def test_a_name_is_accepted_or_refused_with_one_that_is(key, name):
    try:
        refuse_unusable_name(key, name)
    except ValueError as error:
        told = str(error)
        assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in told)
        proposed = told.rpartition(f" {key}=")[2].removesuffix(", for example")
        refuse_unusable_name(key, proposed)
    else:
        assert Path(name).name == name
        assert name not in ("", ".", "..", "evaluation") or key == "study"


@pytest.mark.parametrize("name", ["fold-0", "seed-1", "trial-2", "evaluation"])
def test_a_variant_is_not_called_as_another_folder_of_the_study(name):
    with pytest.raises(ValueError, match="have other contents"):
        refuse_unusable_name("variant", name)
    refuse_unusable_name("study", name)


def test_folders_above_a_study_are_given_as_paths_runs():
    with pytest.raises(ValueError, match=r"give paths\.runs=runs/proj/a study=x, for example"):
        refuse_unusable_name("study", "proj/a/x")
