"""The digits are the published ones, and their split never moves."""

import subprocess
import sys

import numpy as np
import pytest

from descent.recorded import data


def test_digits_equal_the_copy_in_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = data.digits()
    theirs = datasets.load_digits()
    assert np.array_equal(X, theirs.data)
    assert np.array_equal(y, theirs.target)


def test_digits_file_carries_source_and_licence():
    with np.load(data.FILE) as file:
        assert "10.24432/C50P49" in str(file["source"])
        assert "CC BY 4.0" in str(file["licence"])
        assert file["pixels"].dtype == file["labels"].dtype == np.uint8
    assert data.FILE.stat().st_size < 50_000


def test_missing_digits_are_reported_with_path_and_remedy(monkeypatch,
                                                          tmp_path):
    monkeypatch.setattr(data, "FILE", tmp_path / "digits.npz")
    with pytest.raises(FileNotFoundError, match="make_digits.py") as caught:
        data.digits()
    assert str(tmp_path) in str(caught.value)


def test_split_uses_each_example_once():
    parts = data.split(np.arange(1797), np.arange(1797) % 10)
    assert [len(X) for X, _ in parts] == [1078, 359, 360]
    everything = np.concatenate([X for X, _ in parts])
    assert np.array_equal(np.sort(everything), np.arange(1797))
    for X, y in parts:
        assert np.array_equal(X % 10, y)


def test_split_is_the_fixed_one():
    everyone = np.arange(1797)
    (train, _), (validation, _), (test, _) = data.split(everyone, everyone)
    assert train[:5].tolist() == [360, 1773, 1482, 600, 850]
    assert validation[:5].tolist() == [45, 78, 1579, 735, 1746]
    assert test[-5:].tolist() == [1449, 184, 1528, 975, 607]


def test_every_part_holds_every_digit():
    for _, y in data.split(*data.digits()):
        assert np.bincount(y, minlength=10).min() >= 20


def test_split_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match="got 4 and 3"):
        data.split(np.zeros((4, 2)), np.zeros(3))


def test_importing_descent_does_not_read_the_digits():
    program = (
        "import numpy as np\n"
        "np.load = None\n"
        "import descent, descent.recorded.data\n"
        "import sys\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
