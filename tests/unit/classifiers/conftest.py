import pytest

from classifiers.runtime import Scorer
from classifiers.train import main
from tests.unit.classifiers import small_data


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return small_data.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def trained(data, tmp_path_factory):
    """An artefact trained on the small data."""
    directory = tmp_path_factory.mktemp("model")
    assert main(["--data", str(data), "--out", str(directory), "--name", "small", "--no-authored"]) == 0
    return directory


@pytest.fixture(scope="session")
def scorer(trained):
    return Scorer.load(trained)


@pytest.fixture(scope="session")
def shipped():
    return Scorer.shipped()
