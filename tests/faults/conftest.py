import pytest

from inference_workers.streams import sync_client
from tests.worker_fixture import generation_worker, session_worker  # noqa: F401


@pytest.fixture
def empty_redis(transactional_db):
    """Streams and hints of earlier tests are gone."""
    sync_client().flushdb()
