# Targets that call scripts; the logic is in scripts/ and docker/.
.DEFAULT_GOAL := help
.PHONY: audit sbom help demo bench up down clean logs ps certs build images test fmt lint unit sqlx schemas release-contract

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 27

demo: up ## build and start the bank, and run a first banking day; the bank stays running
	scripts/demo

bench: build ## measure the bank, in ten minutes; QUICK=1: in two
	scripts/bench $(if $(filter 1,$(QUICK)),--quick)

up: images ## build (PROFILE=quick) and start the bank, wait until it is healthy
	scripts/build
	scripts/up

down: ## stop the bank; its data stays in volumes
	scripts/compose down --remove-orphans

clean: ## stop the bank and delete its data
	scripts/compose down --remove-orphans --volumes

logs: ## follow the logs of all containers
	scripts/compose logs --follow --tail 100

ps: ## show the containers and their health
	scripts/compose ps

certs: ## make the bank's authority and certificates in secrets/tls, if they are missing or old
	scripts/certs

build: images ## build the release binaries and the images of the services
	PROFILE=$(or $(PROFILE),release) scripts/build

images: ## build the images of the broker, the databases, the pooler and the mail sink
	docker/ensure-engine
	docker/images rabbitmq postgres pgbouncer mail

test: ## run every check: format, clippy, deny, unit and integration tests
	scripts/test

audit: ## check the dependencies for known vulnerabilities; fails if the advisories cannot be had
	scripts/audit

sbom: ## write the bill of materials into target/sbom
	scripts/sbom

fmt: ## format the code
	cargo fmt --all

lint: ## run clippy on the workspace; a warning is an error
	SQLX_OFFLINE=true cargo clippy --workspace --all-targets --locked -- -D warnings
	SQLX_OFFLINE=true cargo clippy --workspace --test bank --locked -- -D warnings

unit: ## run unit tests and documentation tests; needs no Docker
	SQLX_OFFLINE=true cargo test --workspace --locked --quiet

sqlx: ## renew the data with which the checked SQL compiles without a database
	docker/ensure-engine
	docker/images postgres
	scripts/sqlx-prepare

schemas: ## generate shared-events/schemas and rabbitmq/definitions.json from the Rust types
	cargo run --locked -p shared-events --example render

release-contract: ## store today's schemas as a released set, with which later ones are compared
	scripts/release-contract $(VERSION)
