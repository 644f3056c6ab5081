import numpy as np
import pytest
import tifffile

ROWS = "a.tif,p,MDS,X\nb.tif,q,MDS,Y\nc.tif,r,donor,Y\nd.tif,s,donor,Y\n"
HEADER = "image,patient_id,label,site\n"


@pytest.fixture
def write_samples(tmp_path):
    """`write_samples(**largest)`: 16-bit images of noise with this largest value."""

    def write_samples(**largest):
        for name, value in largest.items():
            samples = np.random.default_rng(value + ord(name)).integers(0, value, (10, 20)).astype(np.uint16)
            samples[0, 0] = value
            tifffile.imwrite(tmp_path / f"{name}.tif", samples, photometric="minisblack")

    return write_samples


def test_a_class_of_12_bits_in_16_is_a_warning(findings, write_samples):
    write_samples(a=4095, b=4000, c=4096, d=65535)
    found = findings("MDS054", HEADER + ROWS)
    assert [one[:3] for one in found] == [("warning", 2, "label"), ("warning", 2, "site")]
    assert "2 images of label 'MDS' exceeds a sixteenth" in found[0][3]
    assert "1 images of site 'X'" in found[1][3]


def test_one_image_of_full_range_is_enough(findings, write_samples):
    write_samples(a=4096, b=100, c=100, d=65535)
    assert findings("MDS054", HEADER + ROWS.replace("X", "Y")) == []
