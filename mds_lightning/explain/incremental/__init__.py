"""The exact fast path of occlusion maps: only what a covered window changes is computed again.

`graph` reads a network's graph into a `program` of local operations; `plan` finds which part of every map a
window changes, and which windows are computed together; `run` computes them.
"""
