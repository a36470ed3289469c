import pytest


@pytest.fixture(autouse=True)
def data_folder(tmp_path, settings):
    """Where uploaded files are kept."""
    settings.DATA_DIR = tmp_path / "data"
