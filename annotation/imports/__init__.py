"""Votes from files: read, checked and normalised in chunks, before anything is written.

`schema` says what a file may hold, `csv_votes`, `jsonl_votes` and `parquet_votes` read one format each, `normalise`
turns what they read into one shape, `spool` keeps that on disk, `rows` makes the log's rows of it.
"""
