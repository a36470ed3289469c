from pathlib import Path

import pytest
from django.conf import settings

from inference_workers.streams import sync_client
from tests.worker_fixture import generation_worker, session_worker  # noqa: F401


@pytest.fixture
def empty_redis(transactional_db):
    """Streams and hints of earlier tests are gone."""
    sync_client().flushdb()


@pytest.fixture(scope="session")
def tiny_models() -> list[str]:
    """Names of two tiny models that stand where workers look for them."""
    from tests.inference_workers.engine.tiny_models import save_tiny_model

    names = ["tiny-a", "tiny-b"]
    for seed, name in enumerate(names):
        folder = Path(settings.DATA_DIR) / "models" / name
        if not folder.is_dir():
            save_tiny_model(folder, seed=seed)
    return names
