"""The models that are loaded, within a budget of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from .model_loading import LoadedModel
from .protocol import GenerationFailure, ModelRef


class ModelStore:
    """Loads models on a thread of its own, so that running requests go on, and keeps those used last.

    `needed` tells whether any request wants a model; such a model is never dropped. A model larger than the whole
    budget is loaded once nothing else is.
    """

    def __init__(
        self, load: Callable[[ModelRef], LoadedModel], *, budget: int, itemsize: int, needed: Callable[[ModelRef], bool]
    ) -> None:
        self._load = load
        self._budget = budget
        self._itemsize = itemsize
        self._needed = needed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model-loader")
        self._models: OrderedDict[ModelRef, LoadedModel] = OrderedDict()
        self._failures: dict[ModelRef, GenerationFailure] = {}
        self._loading: tuple[ModelRef, Future[LoadedModel]] | None = None

    def get(self, ref: ModelRef) -> LoadedModel | None:
        """The model, or None while it is loading or waits for memory; ask again. Raises GenerationFailure if it could
        not be loaded; asking again then tries again."""
        self._collect(ref)
        if ref in self._failures:
            raise self._failures.pop(ref)
        if ref in self._models:
            self._models.move_to_end(ref)
            return self._models[ref]
        if self._loading is None and self._make_room(_size(ref, self._itemsize)):
            self._loading = (ref, self._thread.submit(self._load, ref))
        return None

    def _collect(self, asked: ModelRef) -> None:
        """Take in what the thread has loaded. A failure is kept only for those who wait for it."""
        if self._loading is None or not self._loading[1].done():
            return
        ref, future = self._loading
        self._loading = None
        try:
            self._models[ref] = future.result()
        except GenerationFailure as fault:
            if ref == asked or self._needed(ref):
                self._failures[ref] = fault

    def wait(self, timeout: float) -> bool:
        """Wait for the model that is loading, if any is; says whether there was one."""
        if self._loading is None:
            return False
        wait([self._loading[1]], timeout)
        return True

    def drop_idle(self) -> None:
        """Give up every model that no request wants: memory has run out."""
        for ref in [ref for ref in self._models if not self._needed(ref)]:
            del self._models[ref]

    def close(self) -> None:
        """Drop every model; a loading that runs is waited for."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._loading = None
        self._models.clear()

    def _make_room(self, wanted: int) -> bool:
        for ref in list(self._models):
            if self._in_memory() + wanted <= self._budget:
                return True
            if not self._needed(ref):
                del self._models[ref]
        return not self._models or self._in_memory() + wanted <= self._budget

    def _in_memory(self) -> int:
        return sum(model.weight_bytes for model in self._models.values())


def _size(ref: ModelRef, itemsize: int) -> int:
    """Bytes that the model will take, judged by its files, which hold two or four bytes for each number."""
    stored = sum(file.stat().st_size for file in Path(ref.path).glob("*.safetensors"))
    return stored * max(itemsize, 2) // 2
