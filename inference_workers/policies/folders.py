"""Which folders models may be loaded from."""

import json
from collections.abc import Iterable
from pathlib import Path

from inference_workers.errors import InferenceError

SMOLLM2 = "smollm2"


class ModelNotAllowed(InferenceError):
    """The folder is not one that models may be loaded from."""


def model_folder(name: str, *, models: Path, allowed: Iterable[str | Path]) -> Path:
    """Where a model in the worker's own process lives: below `models`, or an absolute folder below an allowed one.
    Raises ModelNotAllowed; whether there is a model is for the engine to find out."""
    roots = [models.resolve()] if not Path(name).is_absolute() else [Path(root).resolve() for root in allowed]
    folder = (models / name).resolve()
    if not any(folder != root and folder.is_relative_to(root) for root in roots):
        raise ModelNotAllowed(f"{name!r} is neither a folder in {models} nor below one of MODEL_FOLDERS")
    return folder


def sorts_texts(folder: Path) -> bool:
    """Whether its settings speak of a head that gives texts classes. They are read, and nothing is loaded."""
    try:
        named = json.loads((folder / "config.json").read_bytes())["architectures"]
        return any(str(name).endswith("ForSequenceClassification") for name in named)
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return False
