"""What a folder must be before anything in it is opened: weights in safetensors, and no code of its own."""

from __future__ import annotations

import json
from pathlib import Path

from .protocol import ErrorCode, failure

# Where a folder names Python files that transformers would have to run to load it.
_MAY_NAME_CODE = ("config.json", "tokenizer_config.json", "processor_config.json", "generation_config.json")
# Formats that run what they hold when they are read, or may.
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")


def check_folder(folder: Path) -> None:
    """Raises GenerationFailure with code model_load, whose message names what is wrong."""
    if not (folder / "config.json").is_file():
        raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} is not a model folder: it has no config.json")
    for name in _MAY_NAME_CODE:
        if _names_code(folder / name):
            text = (
                f"{folder.name} brings code of its own: {name} has an auto_map. Code of a folder is never run. Remove"
                " auto_map if transformers knows the architecture by itself, or serve the model behind an"
                " OpenAI-compatible address"
            )
            raise failure(ErrorCode.MODEL_LOAD, text)
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(file.name for pattern in _PICKLED for file in folder.glob(pattern))
    if pickled:
        text = (
            f"{folder.name} has no weights in safetensors format: {pickled[0]} is pickled and is never opened, since"
            " that can run code. Convert the weights"
        )
        raise failure(ErrorCode.MODEL_LOAD, text)
    raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} has no weights in safetensors format")


def _names_code(file: Path) -> bool:
    """Whether a file of settings has an auto_map anywhere: those of a part of the model lie deeper."""
    try:
        return _has_auto_map(json.loads(file.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return False  # absent, or broken: loading says so


def _has_auto_map(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value.get("auto_map")) or any(_has_auto_map(each) for each in value.values())
    return isinstance(value, list) and any(_has_auto_map(each) for each in value)
