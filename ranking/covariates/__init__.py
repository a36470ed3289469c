"""Strengths adjusted for what else moves a vote: style, latency, the side on which a response was shown.

`design` and `sums` serve any model whose logit is linear: blocks of scaled columns, and sums of weight·z·zᵀ.
"""
