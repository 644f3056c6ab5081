"""TIFF files that Pillow misreads or cannot name."""

import numpy as np
import pytest
import tifffile

from mds_lightning.data.decode import ImageError, decode_image, image_shape

FIELD = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
GREY = FIELD[..., 0]
STACK = np.stack([GREY] * 5)


def write(path, samples, description=None, **options):
    tifffile.imwrite(path, samples, description=description, metadata=None, **options)
    return path


@pytest.mark.parametrize(
    "name", ["int8", "int16", "int32", "uint32", "uint64", "float16", "float32", "float64", "complex64"]
)
@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
def test_samples_of_undefined_range_are_refused_by_name(tmp_path, name, photometric):
    samples = (FIELD if photometric == "rgb" else GREY).astype(name)
    path = write(tmp_path / "a.tif", samples, photometric=photometric)
    kind = {"i": "signed", "u": "-bit samples", "f": "floating-point", "c": "complex"}[samples.dtype.kind]
    for read in (decode_image, image_shape):
        with pytest.raises(ImageError, match=kind) as raised:
            read(path)
        assert "export it with 8 or 16 bits" in str(raised.value)


@pytest.mark.parametrize("samples", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_that_are_marked_as_grey_are_refused(tmp_path, samples, dtype):
    colours = np.dstack([FIELD, GREY])[..., :samples].astype(dtype)
    path = write(tmp_path / "a.tif", colours, photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match=f"has {samples} samples per pixel that are marked as grey.*as RGB"):
        decode_image(path)


@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.54f\nimages=5\nslices=5\nloop=false\n",
        '{"shape": [5, 20, 30]}',
        '{"shape": [5, 20, 30], "truncated": true}',
    ],
)
def test_a_stack_in_one_page_is_refused_with_its_number_of_images(tmp_path, description):
    path = write(tmp_path / "a.tif", GREY, description, photometric="minisblack")
    for read in (decode_image, image_shape):
        with pytest.raises(ImageError, match="holds 5 pages or frames"):
            read(path)


@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.54f\nmin=0\nmax=255\n",
        '{"shape": [20, 30]}',
        '{"shape": "x"}',
        "{",
        "images=5",
        "ImageJ=\nimages=1\n",
    ],
)
def test_other_descriptions_are_ignored(tmp_path, description):
    path = write(tmp_path / "a.tif", GREY, description, photometric="minisblack")
    assert np.array_equal(decode_image(path)[..., 0], GREY)


def test_files_of_imagej_and_tifffile_are_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FIELD, imagej=True)
    assert np.array_equal(decode_image(tmp_path / "a.tif"), FIELD)
    tifffile.imwrite(tmp_path / "b.tif", FIELD, photometric="rgb", bigtiff=True)
    assert np.array_equal(decode_image(tmp_path / "b.tif"), FIELD)


def test_a_tiff_of_an_unknown_kind_is_called_a_tiff(tmp_path):
    path = write(tmp_path / "a.tif", GREY, photometric="minisblack")
    content = bytearray(path.read_bytes())
    place = content.index(b"\x03\x01\x03\0\x01\0\0\0") + 8
    content[place : place + 2] = b"\x39\x30"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"is a TIFF file that cannot be read \(.*compression 12345"):
        decode_image(path)
