# Go 1.27 comes by itself: any Go since 1.21 fetches the toolchain that is named here.
export GOTOOLCHAIN ?= go1.27.4+auto
export GOEXPERIMENT ?= simd

.PHONY: build run test lint

build: ## bin/keci
	go build -o bin/keci ./cmd/keci

run: build ## the REST API and the web page on http://127.0.0.1:8080
	./bin/keci serve

test: ## everything that needs no network and no GPU
	go vet ./...
	go test ./...
