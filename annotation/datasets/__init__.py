"""Frozen exports of the log: what a dataset takes (`scope`), its views as streams of Arrow batches, and its files.

`contents` reads texts and provenance page by page, `votes` and `pairs` make rows of them, `shards` writes Parquet and
JSONL, `card` says what the rows are and whose.
"""
