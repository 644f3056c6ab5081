"""Names in a finished study lead to files inside the folder of its images alone."""

from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.image_files import file_inside
from mds_lightning.cohort.path_or_url import locate_folder


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of images with links out of it and within it, and a private file beside it."""
    home = tmp_path_factory.mktemp("home")
    root, private = home / "smears", home / "private.png"
    (root / "a").mkdir(parents=True)
    private.write_bytes(b"private")
    (root / "a/1.png").write_bytes(b"image")
    (root / "out.png").symlink_to(private)
    (root / "up").symlink_to(home)
    (root / "within.png").symlink_to(root / "a/1.png")
    (root / "loop.png").symlink_to(root / "loop.png")
    return root, private


def test_files_inside_are_found(places: tuple[Path, Path]) -> None:
    root, _ = places
    for name in ("a/1.png", "a/../a/1.png", "within.png", "./a/1.png"):
        assert file_inside(root, name) == root / name


def test_nothing_outside_is_found(places: tuple[Path, Path]) -> None:
    root, private = places
    outside = ("../private.png", "a/../../private.png", str(private), "out.png", "up/private.png", "loop.png")
    for name in (*outside, "a", "", "a\0b", "missing.png", "C:\\private.png", "http://host/1.png"):
        assert file_inside(root, name) is None, name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from(["..", ".", "a", "up", "smears", "1.png", "private.png", "out.png"]), max_size=6)
)
def test_no_combination_leads_outside(places: tuple[Path, Path], parts: list[str]) -> None:
    found = file_inside(places[0], "/".join(parts))
    assert found is None or found.read_bytes() == b"image"


def test_a_remote_folder_has_no_outside_either() -> None:
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe("/inside-test/smears/1.png", b"image")
    filesystem.pipe("/inside-test/private.png", b"private")
    root = locate_folder("memory://inside-test/smears", "cohort.root")
    assert file_inside(root, "../private.png") is None
    found = file_inside(root, "1.png")
    assert found is not None
    assert found.read_bytes() == b"image"
