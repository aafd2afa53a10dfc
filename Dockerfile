# One image a service: docker build --build-arg SERVICE=scheduler .   (user-api, dispatcher, webhook-worker; receiver
# for local runs). `docker run IMAGE once` hands its words to the service; `--entrypoint python IMAGE -m runtime.migrate`
# migrates. Release builds name the base with its digest: --build-arg BASE=python:…@sha256:…
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
ARG SERVICE
ARG UV_VERSION=0.13.9
RUN pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
WORKDIR /build
COPY requirements.lock ./
COPY infra/images/install infra/images/install
COPY libs libs
COPY services services
RUN infra/images/install "${SERVICE}" /app

FROM ${BASE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin carillon
COPY --from=build /app /app
COPY contracts/topology.yaml /app/contracts/topology.yaml
ENV PATH=/app/bin:$PATH \
    TOPOLOGY_FILE=/app/contracts/topology.yaml \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
# Nothing is written: run it with a read-only root file system.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-m", "runtime.check_health"]
ENTRYPOINT ["carillon-service"]
