import pytest


@pytest.fixture
def place(httpserver, settings):
    """A model server on this machine that the operator has put on the list."""
    settings.OUTBOUND_ALLOWED_HOSTS = [f"localhost:{httpserver.port}"]
    return f"http://localhost:{httpserver.port}"
