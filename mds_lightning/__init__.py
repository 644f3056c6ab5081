"""From bone-marrow smear photographs and one manifest to a cross-validated, explained classifier."""

__version__ = "0.1.0"
