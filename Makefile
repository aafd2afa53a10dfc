# Carillon. `make help` lists what there is; everything installs itself into .venv on first use.

PYTHON ?= python3
TERRAFORM ?= terraform
UV_VERSION := 0.13.9
BIN := .venv/bin
PACKAGES := libs/domain libs/runtime libs/messaging libs/testkit libs/cli \
	services/user-api services/scheduler services/dispatcher services/webhook-worker infra/local
SOURCES := libs services infra/local infra/costs infra/observability infra/terraform contracts examples tests bench
# A folder with a hyphen is no package to mypy: two of them side by side would have one `conftest`.
TYPED := 'libs infra/local infra/costs infra/observability infra/terraform contracts examples tests bench services/scheduler services/dispatcher' \
	services/user-api services/webhook-worker
INSTALLED := .venv/installed

.DEFAULT_GOAL := help
.PHONY: help demo up compose token test chaos judges terraform-test check bench contracts contracts-release costs dashboards docs-page migrate topology lock format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		awk -F'|' '{ printf "  make %-18s %s\n", $$1, $$2 }'

demo: $(INSTALLED) ## Ring a dozen birthdays around the world, for real, and prove that each arrived once
	@$(BIN)/python -m carillon_local.demo

up: $(INSTALLED) ## Run the whole system here until Ctrl-C: API 8000, console 8001, receiver 8002; AUTH=jwt asks for tokens
	@$(BIN)/python -m carillon_local.up

compose: $(INSTALLED) ## Run the images as they are deployed, with LocalStack and Grafana; needs Docker
	@command -v docker >/dev/null || { echo 'make compose needs Docker; make up needs none' >&2; exit 1; }
	@$(BIN)/python -m carillon_local.compose_env
	docker compose up --build

token: $(INSTALLED) ## Print a token for a running `make up AUTH=jwt`: ROLE=admin, or USER_ID=…; MINUTES=60
	@$(BIN)/python -m carillon_local.make_token

test: $(INSTALLED) ## Run every test that needs only Python, with coverage
	@$(BIN)/python -m pytest -m "not judge" -n 2 --dist loadfile --cov --cov-report=term $(TEST_ARGS)

chaos: $(INSTALLED) ## Kill everything once at the worst moment; nothing may be lost
	@$(BIN)/python -m pytest tests/chaos

judges: $(INSTALLED) ## Run the judges that need Node or Debian packages, installing those
	@tests/judges/run

terraform-test: $(INSTALLED) ## Test the infrastructure by Terraform itself, without an account: TERRAFORM=terraform
	@$(BIN)/uv venv --quiet --allow-existing .venv/terraform
	@$(BIN)/uv pip install --quiet --python .venv/terraform/bin/python --require-hashes \
		--requirement infra/terraform/requirements.txt
	@TERRAFORM="$(TERRAFORM)" infra/terraform/test

check: $(INSTALLED) ## Check style, types, layers and the lock file
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@for sources in $(TYPED); do $(BIN)/mypy $$sources || exit 1; done
	@$(BIN)/lint-imports
	@$(BIN)/python -m testkit.check_contracts contracts
	@! grep -nE '://|^(-i|--index|--extra|--find)' requirements.lock

bench: $(INSTALLED) ## Measure against peers side by side; a table, and bench/results.json
	@$(BIN)/python -m bench $(BENCH_ARGS)

contracts: $(INSTALLED) ## Write what of contracts/ is generated, and refuse what breaks users of the last release
	@$(BIN)/python -m user_api.write_openapi contracts/openapi.json
	@$(BIN)/python -m testkit.write_asyncapi contracts docs/asyncapi.html
	@$(BIN)/python -m testkit.check_contracts contracts

contracts-release: contracts ## Keep the contracts of now as the released ones, which later ones are held against
	@rm -r contracts/released
	@mkdir contracts/released
	@cd contracts && cp --parents openapi.json topology.* envelope.schema.json events/*/*.schema.json \
		webhooks/*.schema.json released

dashboards: $(INSTALLED) ## Write the dashboards in infra/observability anew from their panels
	@$(BIN)/python -m infra.observability.write_dashboards

costs: $(INSTALLED) ## Write docs/costs.md anew from the prices and sizes in infra/costs
	@$(BIN)/python -m infra.costs.monthly_cost

docs-page: ## Take Swagger UI anew from npm: make docs-page VERSION=5.35.0
	@services/user-api/src/user_api/docs_page/refresh "$(VERSION)"

migrate: $(INSTALLED) ## Migrate the database at DATABASE_DIRECT_URL
	@$(BIN)/python -m runtime.migrate

topology: $(INSTALLED) ## Apply contracts/topology.yaml at the endpoint that AWS_ENDPOINT_URL names
	@TOPOLOGY_FILE=contracts/topology.yaml $(BIN)/python -m messaging.apply_topology

lock: $(INSTALLED) ## Resolve the dependencies anew into requirements.lock
	@$(BIN)/uv lock --upgrade
	@$(BIN)/uv export --frozen --all-groups --no-emit-workspace --no-header --no-annotate --quiet \
		--output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --output-file bench/peers/requirements.txt bench/peers/requirements.in
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --output-file tests/judges/requirements.txt tests/judges/requirements.in
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --output-file infra/terraform/requirements.txt infra/terraform/requirements.in

format: $(INSTALLED) ## Format the code
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

clean: ## Remove what make made: .venv, .local and the caches
	rm -rf .venv .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis .coverage

$(INSTALLED): requirements.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Carillon needs Python 3.11 or newer: make PYTHON=python3.12 …' >&2; exit 1; }
	@echo 'Installing into .venv …'
	@$(PYTHON) -m venv .venv || { echo 'Python has no venv module here; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(PACKAGES:%=--editable %)
	@touch $@
