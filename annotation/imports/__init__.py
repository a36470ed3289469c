"""Votes and items from files: read, checked and normalised in chunks, before anything is written.

`csv_file`, `jsonl_file` and `parquet_file` read one format each, whatever the rows are: a `table_file.Shape` tells them
which columns to read. `schema` says what a file of votes may hold, `normalise` turns what was read into one shape,
`spool` keeps that on disk, `rows` makes the log's rows of it.
"""
