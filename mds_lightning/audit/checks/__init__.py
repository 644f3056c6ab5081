"""The coded checks, one file each; `mds_lightning.audit.check_registry` finds them."""
