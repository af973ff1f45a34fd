# CocaDesk's commands. Each makes .venv ready first (and says what that costs).

.DEFAULT_GOAL := help
.PHONY: help ready demo app test check bench translations train-starter samples screens screenshots clean

BIN := .venv/bin
# Many tests wait for processes that they started: one worker more than processors.
WORKERS := $(shell python3 -c 'import os; print(min(8, (os.cpu_count() or 1) + 1))')
DEMO_LIBRARY := .cache/demo-library
BENCH_SHARDS ?= $(wildcard ../shared/data/flickr8k-dev-*.tar)
BENCH_CLIPS ?= $(wildcard ../shared/data/video-train.tar)

help:
	@echo "make demo           index, search, tag and caption the sample photos; opens the window on a desktop"
	@echo "make app            open CocaDesk on your own library"
	@echo "make test           run the tests"
	@echo "make check          style, types, architecture, and the wheel outside this checkout"
	@echo "make bench          measure indexing, searching, videos, teaching, human annotations, faults, parity, the window (over an hour)"
	@echo "make translations   find the texts of the program for translating, and compile what is translated"
	@echo "make train-starter  train the starter model again (needs the training data and WordNet; about four hours)"
	@echo "make samples        rebuild the sample photos from their packages (Debian only)"
	@echo "make screens        take the pictures of the pages anew that tests compare the window with"
	@echo "make screenshots    take README's screenshots anew, with the real engine (some minutes)"
	@echo "make clean          remove what the other commands made, .venv included"

ready:
	@sh tools/ready.sh

demo: ready
	@$(BIN)/python tools/demo.py --library $(DEMO_LIBRARY)

app:
	@sh tools/ready.sh --window
	@$(BIN)/cocadesk

# Where Python is told to write no bytecode, each of some 500 programs would compile all again.
test: ready
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_wheel.py

bench: ready
	$(BIN)/python tests/bench/parity.py
ifeq ($(COCADESK_BENCH_TRANSFORMERS),)
	@echo "Speed against open_clip needs a folder with transformers 4.55.4: see tests/bench/inference_sides.py"
else
	$(BIN)/python tests/bench/inference.py --quick
endif
	$(BIN)/python tests/bench/bench_cli.py
ifeq ($(BENCH_SHARDS),)
	@echo "The search benchmark needs captioned shards: make bench BENCH_SHARDS=path/to/*.tar"
else
	$(BIN)/python tests/bench/bench_search.py $(BENCH_SHARDS)
	$(BIN)/python -m tests.bench.indexing --quick $(BENCH_SHARDS)
	$(BIN)/python tests/bench/bench_words.py $(BENCH_SHARDS)
	$(BIN)/python tests/bench/honest_end.py --quick $(BENCH_SHARDS)
endif
ifneq ($(BENCH_CLIPS),)
	$(BIN)/python tests/bench/bench_video.py $(BENCH_CLIPS)
	$(BIN)/python tests/bench/bench_teach.py --data $(dir $(BENCH_CLIPS))
endif
	$(BIN)/python tests/bench/bench_human_annotations.py
	$(BIN)/python tests/bench/faults.py
	$(BIN)/python tests/bench/bench_forget.py
	$(BIN)/python -m tests.bench.window --quick
	$(BIN)/python -m tests.bench.window_start --quick
	$(BIN)/python -m tests.bench.window_library --quick
	$(BIN)/python -m tests.bench.ray_workers

translations: ready
	$(BIN)/python tools/translations.py

train-starter: ready
	$(BIN)/cocadesk train resources/starter/train.toml

samples: ready
	$(BIN)/python tools/build_samples.py

screens: ready
	@COCADESK_RENEW_SCREENS=1 $(BIN)/python -m pytest -q tests/ui/test_screens.py
	@echo "Look at tests/ui/screens before you commit it."

screenshots: ready
	@QT_QPA_PLATFORM=offscreen $(BIN)/python tools/screenshots.py

clean:
	rm -rf .venv .cache build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
