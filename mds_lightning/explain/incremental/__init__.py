"""The exact fast path of occlusion maps: only what a covered window changes is computed again.

`capture` and `lowering` read a network's graph, `simplify` fuses it, `geometry` and `groups` find what
changes where, `clean` keeps the uncovered field's maps, `execution` computes crops, `plan` says what was done
and why not more.
"""
