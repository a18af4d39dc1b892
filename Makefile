# Go 1.27 comes by itself: any Go since 1.21 fetches the toolchain that is named
# here. GOEXPERIMENT=simd makes the engine many times faster.
export GOTOOLCHAIN = go1.27.4+auto
export GOEXPERIMENT = simd

# Engines beside Go's, which need a C compiler: make build TAGS=onnx,xla (doc/gpu.md)
TAGS ?=

.PHONY: build run test test-onnx test-xla bench fmt

build: ## bin/keci
	go build -tags '$(TAGS)' -o bin/keci ./cmd/keci

run: build ## the REST API and the web page on http://127.0.0.1:8080
	./bin/keci serve

test: ## vet and every test; what needs absent data or programs is skipped
	go vet ./...
	go test -timeout 18m ./... # a package has 10 minutes otherwise, too few on a busy machine

test-onnx test-xla: TAG = $(@:test-%=%)
test-onnx test-xla: ## that an engine computes what Go's does; KECI_TEST_ONNX or KECI_TEST_XLA names its library
	go vet -tags $(TAG) ./fusion/engine/... ./cmd/keci
	go test -tags $(TAG) ./fusion/engine
	go test -tags $(TAG) -run Engines ./fusion/keci

bench: ## the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

fmt:
	gofmt -w $$(git ls-files '*.go')
