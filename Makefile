# Names for what the scripts do; the logic is in scripts/ and docker/.
.DEFAULT_GOAL := help
.PHONY: help demo bench up down clean logs ps build images test fmt lint unit sqlx schemas release-contract

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 27

demo: up ## build and start the bank, and let it live through a day; it stays running
	scripts/demo

bench: build ## how fast the bank is, in ten minutes; QUICK=1: in two
	scripts/bench $(if $(filter 1,$(QUICK)),--quick)

up: build ## build and start the whole bank, wait until it is healthy
	scripts/up

down: ## stop the bank; its books stay in their volumes
	scripts/compose down --remove-orphans

clean: ## stop the bank and throw its books away
	scripts/compose down --remove-orphans --volumes

logs: ## follow the logs of everything
	scripts/compose logs --follow --tail 100

ps: ## what runs, and how it is
	scripts/compose ps

build: images ## the release binaries, and the images of the services
	scripts/build

images: ## the images of the broker, the databases, their pooler and the mail sink
	docker/ensure-engine
	docker/images rabbitmq postgres pgbouncer mail

test: ## everything that must pass: format, clippy, deny, unit and integration tests
	scripts/test

fmt: ## format the code
	cargo fmt --all

lint: ## clippy over everything; a warning is an error
	SQLX_OFFLINE=true cargo clippy --workspace --all-targets --locked -- -D warnings
	SQLX_OFFLINE=true cargo clippy --workspace --test bank --locked -- -D warnings

unit: ## unit tests and documentation tests; needs no Docker
	SQLX_OFFLINE=true cargo test --workspace --locked --quiet

sqlx: ## renew the data by which the checked SQL compiles without a database
	docker/ensure-engine
	docker/images postgres
	scripts/sqlx-prepare

schemas: ## renew what is generated from the Rust types: shared-events/schemas, rabbitmq/definitions.json
	cargo run --locked -p shared-events --example render

release-contract: ## keep the schemas of today as a released set, with which later ones are compared
	scripts/release-contract $(VERSION)
