"""One file per explanation method; each defines one subclass of `ExplanationMethod`."""
