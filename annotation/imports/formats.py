from collections.abc import Callable
from pathlib import Path

from annotation.imports.csv_file import CSVFile
from annotation.imports.jsonl_file import JSONLFile
from annotation.imports.parquet_file import ParquetFile
from annotation.imports.table_file import Shape, TableFile, format_of

READERS: dict[str, Callable[[Path, Shape], TableFile]] = {"CSV": CSVFile, "JSONL": JSONLFile, "Parquet": ParquetFile}


def open_table(path: Path, shape: Shape) -> TableFile:
    """The reader of a file. Raises BrokenFile where the file as a whole, or its header, cannot be read."""
    return READERS[format_of(path)](path, shape)
