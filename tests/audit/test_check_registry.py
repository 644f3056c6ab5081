import re
from pathlib import Path

import pytest

from mds_lightning.audit import checks
from mds_lightning.audit.check_registry import find_checks, refuse_unknown_codes
from mds_lightning.cohort import finding_kinds
from mds_lightning.cohort.finding import FindingKind


def test_every_file_is_one_check_with_its_own_code():
    files = [path for path in Path(checks.__path__[0]).glob("*.py") if path.stem != "__init__"]
    codes = [check.code for check in find_checks()]
    assert len(codes) == len(files) == len(set(codes))
    assert codes == sorted(codes)
    assert all(re.fullmatch(r"MDS\d{3}", code) for code in codes)


def test_every_kind_of_finding_of_the_manifest_has_a_check():
    kinds = {kind for kind in vars(finding_kinds).values() if isinstance(kind, FindingKind)}
    assert kinds <= {check.kind for check in find_checks()}


def test_titles_are_sentences_without_a_full_stop():
    for check in find_checks():
        assert check.title[0].isupper()
        assert not check.title.endswith(".")


@pytest.mark.parametrize(
    ("code", "nearest"), [("MDS05", "MDS05"), ("mds027", "MDS027"), ("MDS0244", "MDS024")]
)
def test_an_unknown_code_is_refused_with_the_nearest_one(code, nearest):
    with pytest.raises(ValueError, match=f"there is no check {code}; did you mean {nearest}"):
        refuse_unknown_codes(["MDS020", code], find_checks())
