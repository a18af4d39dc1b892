# Go 1.27 comes by itself: any Go since 1.21 fetches the toolchain that is named
# here. GOEXPERIMENT=simd makes the engine many times faster.
export GOTOOLCHAIN = go1.27.4+auto
export GOEXPERIMENT = simd

.PHONY: build run test bench fmt

build: ## bin/keci
	go build -o bin/keci ./cmd/keci

run: build ## the REST API and the web page on http://127.0.0.1:8080
	./bin/keci serve

test: ## vet and every test; what needs absent data or programs is skipped
	go vet ./...
	go test ./...

bench: ## the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

fmt:
	gofmt -w $$(git ls-files '*.go')
