# The only entry. `make run` and `make test` do all their own set-up.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ADDR   ?= 127.0.0.1:8080
MODEL  ?= models/sprites
QUANT  ?= Q8_0
SMALL  ?= Q4_0
URL    ?=
SOURCE ?=
DOCS   ?=
PYTHON ?= /usr/bin/python3
NODE_GPU := engine/gpu/noderun
NAME   := $(notdir $(MODEL))

export CGO_ENABLED := 0

.PHONY: help run test dist release samples posters tour bench bench-gpu golden train go wasm model check unit gpu browser mutants traintest fuzz screenshots hosts bare

help: ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

go:
	@command -v go >/dev/null || { echo "Undertone needs Go 1.24 or newer: https://go.dev/dl/"; exit 1; }
	@v=$$(go env GOVERSION | sed -E 's/^go1\.([0-9]+).*/\1/'); \
	  [ "$$v" -ge 24 ] 2>/dev/null || { echo "Undertone needs Go 1.24 or newer; this is $$(go env GOVERSION)"; exit 1; }

# Copies of small functions where they are called make a program faster and larger. In
# the engine, what computes is to be fast; these packages, which only messages and the
# opening and recording of models use (on a GPU its kernels compute), small. In the page
# everything is small.
PROGRAM ?= build
COMPACT := undertone/wasm/... undertone/engine/checkpoint undertone/engine/dit undertone/engine/fault undertone/engine/gpu undertone/engine/judge \
  undertone/engine/recipe undertone/engine/sample \
  undertone/engine/text undertone/engine/tinyjson undertone/engine/vae undertone/engine/weights \
  undertone/engine undertone/guidance github.com/sugarme/... github.com/cogentcore/... github.com/rivo/... golang.org/x/text/... \
  fmt encoding/json encoding/gob reflect regexp/syntax log log/slog os io/fs path/filepath internal/poll time syscall context \
  encoding encoding/base64 encoding/csv encoding/hex strconv internal/strconv sort bufio bytes strings regexp errors path embed math/rand container/heap \
  hash/crc32 compress/flate compress/gzip
# Go 1.26's second garbage collector, for many processors, is 15 kB that one processor does without; Go says whether it can be left out.
LEAN := GOEXPERIMENT=$$(GOEXPERIMENT=nogreenteagc go env GOEXPERIMENT 2>/dev/null)
WASM := GOOS=js GOARCH=wasm go build -trimpath -ldflags="-s -w"

# Kernels go into programs without comments and indents, 30 kB of the engine; lines keep their numbers.
BARE := $(PROGRAM)/shaders.json

wasm: go
	@mkdir -p $(PROGRAM)/shaders/lib
	@{ printf '{"Replace":{'; comma=; for f in shaders/*.wgsl shaders/lib/*.wgsl; do \
	  sed -E 's@[[:space:]]*//.*@@; s@^[[:space:]]+@@' $$f > $(PROGRAM)/$$f; printf '%s"%s/%s":"%s"' "$$comma" "$(CURDIR)" $$f "$(PROGRAM)/$$f"; comma=,; \
	  done; printf '}}\n'; } > $(BARE)
	$(LEAN) $(WASM) -overlay $(BARE) $(COMPACT:%=-gcflags=%=-l) -o $(PROGRAM)/engine.wasm ./wasm/engine
	$(LEAN) $(WASM) -gcflags=all=-l -o $(PROGRAM)/page.wasm ./wasm/page/main
	$(LEAN) $(WASM) -gcflags=all=-l -o $(PROGRAM)/lab.wasm ./wasm/lab
	$(WASM) -overlay $(BARE) $(COMPACT:%=-gcflags=%=-l) -o $(PROGRAM)/bench.wasm ./wasm/bench
	@cp "$$(go env GOROOT)/lib/wasm/wasm_exec.js" $(PROGRAM)/wasm_exec.js

# The converter is run whenever the source weights or the precision changed. The
# site carries the model twice: in QUANT, and in SMALL for a smaller download.
LARGE_MODEL := build/$(QUANT)/$(NAME)
SMALL_MODEL := build/$(SMALL)/$(NAME)-q4
# Beside the shipped model: one whose guidance acts through a pooled adapter.
BESIDE := $(if $(filter models/sprites,$(MODEL)),$(wildcard models/sprites-adapter))
BESIDE_MODELS := $(BESIDE:models/%=build/$(QUANT)/%/model.json)
SITE := --model $(LARGE_MODEL) --model $(SMALL_MODEL) $(BESIDE_MODELS:%/model.json=--model %) $(URL:%=--url %) $(SOURCE:%=--source %) $(DOCS:%=--docs %)

model: $(LARGE_MODEL)/model.json $(SMALL_MODEL)/model.json $(BESIDE_MODELS)
$(LARGE_MODEL)/model.json: TYPE = $(QUANT)
$(SMALL_MODEL)/model.json: TYPE = $(SMALL)
$(LARGE_MODEL)/model.json $(SMALL_MODEL)/model.json: $(wildcard $(MODEL)/*) $(wildcard engine/weights/*.go) | go
	@mkdir -p $(@D)
	go run ./cmd/undertone convert $(MODEL) --to $(TYPE) --out $(@D)

$(BESIDE_MODELS): build/$(QUANT)/%/model.json: models/%/model.json $(wildcard engine/weights/*.go) | go
	@mkdir -p $(@D)
	go run ./cmd/undertone convert $(<D) --to $(QUANT) --out $(@D)

run: wasm model ## build the page with the shipped model and serve it (ADDR=127.0.0.1:8080)
	go run ./cmd/undertone dist --out dist $(SITE)
	go run ./cmd/undertone serve --addr $(ADDR) dist

dist: wasm model ## write the static site to dist/, with brotli and gzip twins (URL=https://…/ SOURCE=… DOCS=…)
	go run ./cmd/undertone dist --out dist $(SITE) --twins

release: wasm model ## write build/undertone-VERSION.zip, the site, to be hosted without Go, and .tgz, the npm package
	go run ./cmd/undertone dist --out dist $(SITE) --twins --zip build --npm build

# Every stage appends to build/test.log, from which the count at the end is made.
# An operation's case that ran with the same launches on another kind of device
# counts as skipped; only the log lists those. (vet runs in check, for all at once.)
GOTEST = go test -v -count=1 -vet=off
LOG    = 2>&1 | { mkdir -p build && tee -a build/test.log; } | grep -vE '^(=== |\s*--- (PASS|SKIP: TestOps)|PASS$$)'

test: go ## install what the tests need, then run them all
	@mkdir -p build && : > build/test.log
	@.ci/setup
	@$(MAKE) --no-print-directory check unit gpu browser mutants traintest
	@.ci/count build/test.log

check:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./engine/... ./wasm/... ./guidance/... ./shaders/...

unit: ## unit and golden tests on this machine's CPU
	$(GOTEST) $$(go list ./... | grep -vE '/e2e$$') $(LOG)

gpu: ## every op and the whole model on WebGPU under Node (SwiftShader without a GPU), and on the CPU by SIMD
	GOOS=js GOARCH=wasm $(GOTEST) -timeout 25m -exec "node '$(CURDIR)/$(NODE_GPU)/run.mjs'" ./engine/gpu $(LOG)
	GOOS=js GOARCH=wasm $(GOTEST) -run Vectors -exec "node '$(CURDIR)/$(NODE_GPU)/run.mjs'" ./engine/cpu/... ./engine/testing/networks $(LOG)

# Tests of browsers wait a third of their time: three at once keep two processors busy.
browser: wasm model ## the page in a real Chromium, and in a real Firefox
	@mkdir -p build && echo '=== STAGE e2e' >> build/test.log
	$(GOTEST) -timeout 30m -parallel 3 ./e2e $(LOG) || .ci/second-try

screenshots: wasm model ## take pictures of every view (build/screenshots), those of docs/images and web/screenshots among them
	go test -count=1 -v -timeout 30m -tags screenshots -run TestScreenshots ./e2e

hosts: ## build anew the pages that embed a picture, by the generators of docs/embedding.md (npm, cargo, Python 3.11)
	./e2e/testdata/hosts/make.sh

mutants: ## planted bugs, each of which the tests must catch
	$(GOTEST) -timeout 20m -tags mutants ./engine/testing/mutants $(LOG)

traintest: ## the short tests of train/
	PYTHONPATH=train $(PYTHON) -m pytest -v -p no:cacheprovider train/tests 2>&1 | sed -uE 's/^([^ ]+::[^ ]+) PASSED.*/--- PASS: \1/; s/^([^ ]+::[^ ]+) FAILED.*/--- FAIL: \1/; s/^([^ ]+::[^ ]+) SKIPPED.*/--- SKIP: \1/' $(LOG)

bare: ## show on a bare Debian that .ci/setup is enough for the tests, or for RUN="make unit" (as root; see .ci/bare)
	.ci/bare '$(or $(RUN),make test)'

fuzz: ## fuzz every parser of foreign bytes for FUZZTIME (10s) each
	@for p in weights checkpoint text recipe tinyjson; do for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' engine/$$p/*_test.go | sed 's/func //'); do \
	  go test -run '^$$' -fuzz "^$$f$$" -fuzzminimizetime 500x -fuzztime $(or $(FUZZTIME),10s) ./engine/$$p; done; done

samples: go ## draw anew what the page shows before a model is loaded
	go run ./cmd/samples $(MODEL) web/samples.jpg web/link-preview.jpg

posters: go ## draw the pictures of the article docs/pooled-vector.md anew
	go run ./cmd/undertone embed $(MODEL) --in docs/pooled-vector.md

# In the precision that the page offers first, as the tool computes it.
TOUR := pooled guidance weight block
tour: model ## ask the questions of the Lab's tour anew (web/tour; about 1,000 pictures on the CPU)
	rm -rf build/tour
	for name in $(TOUR); do go run ./cmd/undertone lab $$name $(LARGE_MODEL) --out build/tour --number 6 --seeds 2; done
	mkdir -p web/tour && cp $(TOUR:%=build/tour/%.json) web/tour/

# Into dist/bench.json, and as tables into build/bench.md. ARGS: see go run ./cmd/bench -h.
PEERS := cmd/bench/peers
bench: wasm model ## measure kernels, pictures and the CPU device in a browser beside onnxruntime-web, jax-js and tfjs
	@[ $(PEERS)/node_modules/.package-lock.json -nt $(PEERS)/package-lock.json ] || npm ci --prefix $(PEERS) --no-fund --no-audit
	go run ./cmd/bench -program $(PROGRAM) -model $(LARGE_MODEL) $(ARGS)

# Into build/speed: bench.json, table.md. VK_DRIVER_FILES chooses the driver; ARGS: see bench.mjs.
BUDGET ?= 240
bench-gpu: wasm model ## measure the GPU that Vulkan offers, under Node: peaks, kernels, pictures, tests (BUDGET=240 seconds)
	@[ -d $(NODE_GPU)/node_modules ] || npm ci --prefix $(NODE_GPU)
	@mkdir -p build/speed
	GOOS=js GOARCH=wasm go test -c -o build/speed/gpu.test.wasm ./engine/gpu
	node $(NODE_GPU)/bench.mjs --out build/speed --budget $(BUDGET) --bench $(PROGRAM)/bench.wasm --model $(LARGE_MODEL) --tests build/speed/gpu.test.wasm --in engine/gpu $(ARGS)

# What only golden files are made with; the tests need none of it.
golden: ## make the golden files anew: from PyTorch, ggml's readers of weights, Hugging Face's tokenizers
	pip3 install --quiet --upgrade --target build/golden gguf==0.19.0 ml_dtypes==0.6.0 tokenizers==0.23.3
	OMP_NUM_THREADS=2 PYTHONPATH=train $(PYTHON) train/golden.py
	PYTHONPATH=train $(PYTHON) train/golden_judge.py
	PYTHONPATH=build/golden $(PYTHON) train/golden_quant.py
	PYTHONPATH=build/golden $(PYTHON) train/golden_gguf.py
	PYTHONPATH=build/golden $(PYTHON) train/golden_tokens.py

train: ## train the shipped model from the beginning (hours; see train/README.md)
	cd train && ./run.sh

train-%: ## one stage of it: autoencoder, latents, contrast, teacher, student, export, guide, judge, evaluate, report; or adapter, with ARGS (see docs/adapter.md)
	cd train && PYTHON=$(PYTHON) ./run.sh $* $(ARGS)
