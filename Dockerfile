# Stage 1 builds a virtual environment from the lock file; stage 2 carries it and nothing else.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/tocsin
COPY requirements.lock ./
RUN /opt/tocsin/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY bot ./bot
COPY tools ./tools
COPY prompts ./prompts
RUN /opt/tocsin/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
# Other providers of models, e.g. --build-arg EXTRAS=anthropic,google
ARG EXTRAS=""
RUN if [ -n "$EXTRAS" ]; then /opt/tocsin/bin/pip install --no-cache-dir --no-build-isolation ".[$EXTRAS]"; fi

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --no-create-home tocsin && install -d -o tocsin /data
COPY --from=build /opt/tocsin /opt/tocsin
ENV PATH=/opt/tocsin/bin:$PATH \
    TOCSIN_DATA_DIR=/data \
    TOCSIN_CONFIG=/etc/tocsin/tocsin.yaml \
    TOCSIN_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["tocsin"]
CMD ["serve"]
