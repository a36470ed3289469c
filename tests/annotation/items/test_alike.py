"""Prompts that say nearly the same: exact against every pair, in memory that does not grow with their square."""

import tracemalloc

import numpy as np
import pytest
from django.urls import reverse

from accounts.enums import Role
from annotation.policies.alike import pairs_above
from inference_workers.models import Completion
from inference_workers.tasks.backends import Backends
from tests.factories import make_campaign, make_item, make_user
from tests.inference_workers.factories import make_revision
from tests.inference_workers.pumping import run_pump


def directions(count: int, dimension: int, seed: int) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = rng.standard_normal((count, dimension)).astype(np.float32)
    drawn[count // 2 :] = drawn[: count - count // 2] + 0.2 * drawn[count // 2 :]
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_blocks_find_the_very_pairs_that_the_whole_matrix_has():
    vectors = directions(90, 16, 1)
    cosines = np.triu(vectors @ vectors.T, 1)
    first, second = np.nonzero(cosines >= 0.9)
    for block in (7, 90, 1_024):
        found = pairs_above(vectors, 0.9, block=block)
        assert {pair[:2] for pair in found.pairs} == set(zip(first.tolist(), second.tolist(), strict=True))
        assert (found.count, found.texts) == (len(first), len({*first, *second}))
    closest = [cosine for _first, _second, cosine in found.pairs]
    assert closest == sorted(closest, reverse=True)
    assert pairs_above(vectors, 0.9, most=3).count == len(first)
    assert pairs_above(vectors, 0.9, most=3, block=7).pairs == found.pairs[:3]


def test_ten_thousand_prompts_are_compared_in_little_memory():
    vectors = directions(10_000, 32, 2)
    tracemalloc.start()
    found = pairs_above(vectors, 0.95)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.count >= 4_000
    assert most < 60_000_000  # the whole matrix takes 400 MB


@pytest.mark.django_db(transaction=True)
def test_an_admin_has_the_prompts_measured_and_reads_which_are_alike(client):
    campaign = make_campaign()
    prompts = (
        "How long does an egg boil?",
        "How long does an egg boil?",
        "How long does one egg boil?",
        "Sing a song.",
    )
    items = [make_item(campaign, prompt=prompt) for prompt in prompts]
    page = reverse("campaign-alike", args=[campaign.slug])
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert b"There is no embedding model" in client.get(page).content
    model = make_revision(model={"name": "Vectors", "slug": "vectors", "task": "embedding"}).language_model
    chosen = {"model": model.pk, "threshold": "0.8"}
    assert client.post(page, chosen | {"threshold": "7"}).status_code == 422
    assert client.post(page, chosen).status_code == 302
    assert client.post(page, chosen).status_code == 302  # once more asks for nothing more
    assert Completion.objects.count() == 3
    assert client.get(page, chosen).context["found"].progress.open == 3
    run_pump(Backends())
    response = client.get(page, chosen)
    found = response.context["found"]
    assert (found.items, found.same, found.count, found.texts) == (4, 2, 1, 2)
    (pair,) = found.pairs
    assert {*pair.first.items, *pair.second.items} == {item.pk for item in items[:3]}
    assert b"How long does one egg boil?" in response.content
    assert b"Sing a song." not in response.content
