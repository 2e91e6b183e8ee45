# Every target says what it does: run `make` alone.
SHELL := /bin/bash
GO ?= go
TOOL := $(GO) tool -modfile=.tools/go.mod
PACKAGES := redis-server postgresql ffmpeg chromium fonts-dejavu-core
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help simulate run build test packages check unit prove-cluster ui ui-check client client-check lint fmt bench clean

help: ## Print this.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## Run the main job here, embedded, no server needed: then open http://localhost:8080/
	@.tools/packages ffmpeg fonts-dejavu-core || echo "ffmpeg can't be installed here: clips are rendered without it, and say so"
	$(GO) run ./cmd/troupe dev $(ARGS)

build: ## Build bin/troupe, static and stripped.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/troupe ./cmd/troupe

test: packages check ui-check client-check unit ## Install what is missing from Debian's packages, build, and run everything.

packages: ## Install the servers and tools that the tests start.
	@.tools/packages $(PACKAGES)

check: ## Format and vet, without running anything.
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofumpt-clean:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) build ./...

unit: ## Run all Go tests, with the race detector.
	$(GO) test -race -timeout 14m ./...

RUNS ?= 30

# With 30 runs: about 35 minutes on two cores that are free; most of it is the 60 s for which nodes are stopped, and the leases that cut-off nodes have left.
prove-cluster: ## Get the nodes of clusters into trouble, RUNS times each way; prints a line a case.
	@set -o pipefail; $(GO) test ./cmd/troupe -run 'TestCluster' -count=1 -timeout 120m -parallel 16 -v -cluster.runs=$(RUNS) 2>&1 | grep --line-buffered -vE '^ *(=== |--- PASS|--- SKIP)'

ui: ## Rebuild the pages that the binary serves, from http/ui.
	cd http/ui && npm ci --no-audit --no-fund --loglevel=error && npm test --silent && npm run build --silent

ui-check: ui ## Rebuild the pages and fail if what is committed differs.
	@git diff --exit-code --stat -- http/ui/dist || { echo "http/ui/dist is not what its sources build: commit the rebuilt one"; exit 1; }

client: ## Build the TypeScript packages, with the types of http/openapi.yaml.
	cd http/client/typescript && npm ci --no-audit --no-fund --loglevel=error && npm run --silent schema && npm run --silent build

client-check: ## Test the TypeScript packages, also against a node, and fail if their types are not those of http/openapi.yaml.
	cd http/client/typescript && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm run --silent build && npm test --silent

lint: ## Run golangci-lint (the first time it takes some minutes to build).
	$(TOOL) golangci-lint run ./...

fmt: ## Format all Go code.
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

simulate: ## Simulate clusters of NODES for MINUTES of virtual time with JOBS, under SEEDS seeds from SEED (0 draws it): as given about five minutes each.
	$(GO) test ./actors/simulation -v -timeout 24h -run TestSimulationLong -sim.seed $(SEED) -sim.seeds $(SEEDS) -sim.nodes $(NODES) -sim.minutes $(MINUTES) -sim.jobs $(JOBS)

simulate: SEED ?= 0
simulate: SEEDS ?= 1
simulate: NODES ?= 100
simulate: MINUTES ?= 10
simulate: JOBS ?= 10000

bench: build ## Measure a backlog of jobs that do nothing; set TROUPE_REDIS_URL and TROUPE_DATABASE_URL for your servers.
	bin/troupe bench drain

clean: ## Remove what was built, and the data of `make run`.
	rm -rf bin data
