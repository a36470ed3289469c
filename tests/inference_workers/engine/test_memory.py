"""Rows start where memory has room for them, and where it runs out all the same every text comes whole."""

from pathlib import Path

import pytest
import torch

from inference_workers.engine import batch as batch_module
from inference_workers.engine import slots
from inference_workers.engine.batch import ContinuousBatch
from inference_workers.engine.memory import CacheMemory, Memory, is_out_of_memory, machine_memory
from inference_workers.engine.model_loading import load_model, open_device
from inference_workers.engine.protocol import ErrorCode, ModelRef
from inference_workers.engine.settings import DeviceUnusable
from inference_workers.engine.slots import SlotTables
from inference_workers.engine.transformers_backend import TransformersBackend
from tests.inference_workers.engine.conftest import tiny_settings
from tests.inference_workers.engine.driving import request, run_to_end
from tests.inference_workers.engine.tiny_models import CONTEXT, save_tiny_model

GB = 10**9


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


MEMINFO = "MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable: 9000000 kB\nHugePages_Total: 0\n"


def test_a_machine_without_groups_tells_what_is_available(tmp_path):
    assert machine_memory(tree(tmp_path, proc__meminfo=MEMINFO)) == Memory(16_384_000_000, 9_216_000_000)


def test_the_tightest_control_group_around_the_process_counts_and_cached_files_are_free(tmp_path):
    root = tree(
        tmp_path,
        proc__meminfo=MEMINFO,
        proc__self__cgroup="0::/site/worker\n",
        **{
            "sys__fs__cgroup__site__memory.max": "4000000000\n",
            "sys__fs__cgroup__site__memory.current": "3000000000\n",
            "sys__fs__cgroup__site__memory.stat": "anon 1\ninactive_file 500000000\n",
            "sys__fs__cgroup__site__worker__memory.max": "max\n",
            "sys__fs__cgroup__site__worker__memory.current": "1\n",
        },
    )
    assert machine_memory(root) == Memory(4 * GB, 3 * GB // 2)


def test_control_groups_of_the_first_version_are_read_too(tmp_path):
    root = tree(
        tmp_path,
        proc__meminfo=MEMINFO,
        proc__self__cgroup="5:cpu,cpuacct:/a\n4:memory:/docker/1\n",
        **{
            "sys__fs__cgroup__memory__docker__1__memory.limit_in_bytes": "2000000000",
            "sys__fs__cgroup__memory__docker__1__memory.usage_in_bytes": "2500000000",
            "sys__fs__cgroup__memory__memory.limit_in_bytes": "9223372036854771712",
            "sys__fs__cgroup__memory__memory.usage_in_bytes": "2500000000",
        },
    )
    assert machine_memory(root) == Memory(2 * GB, 0)


def test_this_machine_has_some_memory_left():
    memory = machine_memory()
    assert 0 < memory.free <= memory.total


@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen3"])
def test_a_cached_token_takes_what_the_models_shape_says(architecture, tmp_path):
    """Layers, times heads of keys and of values, times their width, times the bytes of a number."""
    folder = save_tiny_model(tmp_path / "model", architecture=architecture)
    loaded = load_model(ModelRef(str(folder)), device=torch.device("cpu"), dtype=torch.float32, context_limit=CONTEXT)
    shape = loaded.model.config
    expected = shape.num_hidden_layers * 2 * shape.num_key_value_heads * shape.head_dim * 4
    assert loaded.cache_bytes_per_position == expected


class Holder:
    def __init__(self, allocated: int, promised: int) -> None:
        self.allocated, self.promised = allocated, promised


def test_what_is_promised_to_others_is_not_free_and_the_upper_limit_is_for_all():
    here, other = Holder(10, 30), Holder(20, 50)
    holders = [here, other]
    memory = CacheMemory(lambda: Memory(1000, 200), share=0.5, holders=lambda: holders)
    assert memory.budget_of(here) == 10 + (100 - 30)
    assert memory.whole == 500
    bounded = CacheMemory(lambda: Memory(1000, 200), share=0.5, most=90, holders=lambda: holders)
    assert (bounded.budget_of(here), bounded.whole) == (40, 90)
    full = CacheMemory(lambda: Memory(1000, 0), share=0.5, holders=lambda: holders)
    assert full.budget_of(here) == 10


def most_rows_at_once(monkeypatch) -> list[int]:
    seen = [0]
    make_room = SlotTables.make_room

    def note(tables: SlotTables, slots: int, length: int) -> None:
        seen[0] = max(seen[0], slots)
        make_room(tables, slots, length)

    monkeypatch.setattr(SlotTables, "make_room", note)
    return seen


def test_as_many_rows_run_as_free_memory_holds_and_no_more_than_the_upper_limit(tiny_model, monkeypatch):
    probe = load_model(tiny_model, device=torch.device("cpu"), dtype=torch.float32, context_limit=CONTEXT)
    rows = [request(str(n), model=tiny_model, max_tokens=30) for n in range(6)]
    prompt = len(probe.encoder.encode(rows[0].messages, room=CONTEXT))
    row_bytes = (prompt + 30) * probe.cache_bytes_per_position
    for free, most_rows, expected in [(3.5, 256, 3), (100, 2, 2), (100, 256, 6), (0, 256, 1)]:
        with monkeypatch.context() as patched:
            seen = most_rows_at_once(patched)
            backend = TransformersBackend(tiny_settings(most_rows=most_rows))
            backend.warm(tiny_model, 60.0)
            seen[0] = 0  # loading tries two rows
            # Free is what is left beside what the tables have taken: as if they were not there.
            patched.setattr(CacheMemory, "budget_of", lambda memory, asking, free=free: int(free * row_bytes))
            outcomes = run_to_end(backend, *rows)
            backend.close()
        assert (seen[0], len({outcome.finished.text for outcome in outcomes.values()})) == (expected, 1)


def run_short_of_memory(monkeypatch, *, above: int, error: Exception) -> list[int]:
    """From now on a forward pass of more than so many rows finds no memory. Returns how often that happened."""
    times = [0]
    attend = slots._attend_decoding

    def short(query, *rest):
        if query.shape[1] > above:
            times[0] += 1
            raise error
        return attend(query, *rest)

    monkeypatch.setattr(slots, "_attend_decoding", short)
    return times


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
]


def varied(n: int, model: ModelRef):
    """Ways of drawing and lengths that differ; every third one asks for log-probabilities."""
    sampling = {"temperature": 0.4 * (n % 3), "top_p": 0.9, "seed": n, "repetition_penalty": 1.0 + 0.1 * (n % 2)}
    return request(str(n), "word " * (3 * n + 1), model=model, max_tokens=8 + 3 * n, logprobs=n % 3 == 1, **sampling)


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "cpu", "apple"])
def test_where_memory_runs_out_half_as_many_rows_go_on_and_every_text_is_the_same(
    error, tiny_model, tiny_backend, monkeypatch
):
    rows = [varied(n, tiny_model) for n in range(7)]
    whole = run_to_end(tiny_backend, *rows)
    times = run_short_of_memory(monkeypatch, above=2, error=error)
    again = run_to_end(tiny_backend, *rows)
    assert times[0] >= 2
    for id, outcome in whole.items():
        before, after = outcome.finished, again[id].finished
        assert (after.text, after.completion_tokens) == (before.text, before.completion_tokens)
        assert "".join(again[id].deltas) == after.text
        assert after.prompt_tokens == before.prompt_tokens
        if before.logprobs is not None:
            assert after.logprobs == pytest.approx(before.logprobs, abs=1e-4)


def test_control_without_going_on_with_half_all_rows_are_lost(tiny_model, tiny_backend, monkeypatch):
    def give_up(batch: ContinuousBatch):
        return batch._fail_all(ErrorCode.OUT_OF_MEMORY, "the device ran out of memory during generation")

    monkeypatch.setattr(ContinuousBatch, "_go_on_with_half", give_up)
    run_short_of_memory(monkeypatch, above=2, error=ERRORS[0])
    outcomes = run_to_end(tiny_backend, *[varied(n, tiny_model) for n in range(7)])
    assert [outcome.failed.error.code for outcome in outcomes.values()] == [ErrorCode.OUT_OF_MEMORY] * 7


def test_a_single_row_that_finds_no_memory_fails_by_name_and_the_next_is_served(tiny_model, tiny_backend, monkeypatch):
    with monkeypatch.context() as patched:
        run_short_of_memory(patched, above=0, error=ERRORS[0])
        error = run_to_end(tiny_backend, request("r", model=tiny_model))["r"].failed.error
    assert (error.code, error.retryable) == (ErrorCode.OUT_OF_MEMORY, True)
    assert run_to_end(tiny_backend, request("r", model=tiny_model))["r"].finished.text


def test_after_a_calm_while_more_rows_are_tried_again(tiny_model, tiny_backend, monkeypatch):
    monkeypatch.setattr(batch_module, "_CALM_STEPS", 4)
    tiny_backend.warm(tiny_model, 60.0)
    for n in range(4):
        tiny_backend.admit(request(str(n), model=tiny_model, max_tokens=60))
    with monkeypatch.context() as patched:
        times = run_short_of_memory(patched, above=1, error=ERRORS[0])
        while not times[0]:
            tiny_backend.step(0.0)
        (batch,) = tiny_backend._batches.values()
        assert batch._rows_allowed < 4
    run_to_end(tiny_backend)
    assert batch._rows_allowed > 4


def test_models_nobody_asks_for_leave_when_memory_runs_out(tiny_model, other_tiny_model, tiny_backend, monkeypatch):
    run_to_end(tiny_backend, request("idle", model=other_tiny_model))
    run_short_of_memory(monkeypatch, above=1, error=ERRORS[0])
    run_to_end(tiny_backend, request("a", model=tiny_model), request("b", model=tiny_model))
    assert list(tiny_backend._store._models) == [tiny_model]


def test_weights_stay_within_their_budget_and_those_used_longest_ago_leave(tmp_path):
    models = [ModelRef(str(save_tiny_model(tmp_path / f"m{n}", seed=n))) for n in range(3)]
    size = (Path(models[0].path) / "model.safetensors").stat().st_size
    budget = 7 * size // 2  # of two; a third is reckoned to take up to twice its file
    backend = TransformersBackend(tiny_settings(weight_budget=budget))
    held = []
    for n, model in enumerate([*models, models[1], models[0], models[2]]):
        assert run_to_end(backend, request(str(n), model=model))[str(n)].finished.text
        assert backend._store._in_memory() <= budget
        held.append([models.index(each) for each in backend._store._models])
    backend.close()
    assert held == [[0], [0, 1], [1, 2], [2, 1], [1, 0], [0, 2]]


def test_a_device_that_is_not_there_is_refused_by_name():
    assert open_device("cpu") == torch.device("cpu")
    for name in ("mps", "toaster", "cuda:77"):
        with pytest.raises(DeviceUnusable, match=f"there is no device '{name}' here; this machine has .*cpu"):
            open_device(name)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("a bad day"))
    assert not is_out_of_memory(ValueError("out of memory"))
