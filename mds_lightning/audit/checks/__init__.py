"""The coded checks, one file each; `mds_lightning.audit.registry` finds them."""
