"""How pytest reads notebooks: strict nbval, with the holes in it closed.

* A notebook that nbval would pass without proof is not collected: an error.
* A kernel does not inherit a person's matplotlib or IPython settings.
* In an interactive figure nbval compares all but the drawing and the payload,
  which may differ in the last digit on another processor
  (nbval_sanitize.cfg).  The payload is decoded here, from the same run, and
  must be what is stored to one quantum, a tenth of a point.
"""

import os
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

# before numpy: small matrices, and two test workers on two cores
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis  # noqa: E402
import pytest  # noqa: E402
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent / "book"))
import notebooks  # noqa: E402


# no timed tests, and the same examples for everybody
hypothesis.settings.register_profile(
    "book", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("book")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "equation(label, ...): fails when the line of code with "
        "this label is changed (tests/test_mutations.py)")


class Notebook(IPyNbFile):
    def collect(self):
        cells = list(super().collect())
        problems = notebooks.blind_spots(self.nb)
        if problems:
            raise self.CollectError(f"{self.path}: " + "\n".join(problems))
        return cells

    def setup(self):
        self.scratch = tempfile.TemporaryDirectory()
        environment = notebooks.kernel_environment(self.scratch.name)
        with patch.dict(os.environ, environment):
            super().setup()

    def teardown(self):
        super().teardown()
        self.scratch.cleanup()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent):
    collected = yield
    return [Notebook.from_parent(parent, path=found.path)
            if isinstance(found, IPyNbFile) else found for found in collected]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    if isinstance(item, IPyNbCell) and item.options["check"]:
        difference = notebooks.figure_difference(item.cell.outputs,
                                                 item.test_outputs)
        if difference:
            raise NbCellError(item.cell_num, difference, item.cell.source)
    return result
