# Serves one run:
#   docker build -t tellapart .
#   docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/runs/pets-1:/run/tellapart:ro" tellapart
# Only what requirements/serve.lock names is installed: neither Keras nor TensorFlow.

FROM python:3.13-slim-trixie AS build
WORKDIR /build
COPY requirements/serve.lock requirements/core.lock requirements/
RUN python -m venv /opt/tellapart \
    && /opt/tellapart/bin/python -m pip install --no-cache-dir --require-hashes \
       --only-binary :all: --prefer-binary -r requirements/serve.lock
COPY pyproject.toml README.md LICENSE THIRD_PARTY_NOTICES.md ./
COPY src src
# The tool that builds the package comes from a lock too, and stays out of the environment.
RUN sed -n '/^flit-core==/,/# via/p' requirements/core.lock > /tmp/flit.lock \
    && python -m pip install --no-cache-dir --require-hashes --only-binary :all: \
       --target /tmp/flit -r /tmp/flit.lock \
    && PYTHONPATH=/tmp/flit python -m flit_core.wheel --outdir /tmp/wheel \
    && /opt/tellapart/bin/python -m pip install --no-cache-dir --no-deps /tmp/wheel/*.whl \
    && /opt/tellapart/bin/python -m pip uninstall --yes pip \
    && /opt/tellapart/bin/python -m compileall -q /opt/tellapart

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tellapart
COPY --from=build /opt/tellapart /opt/tellapart
ENV PATH="/opt/tellapart/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /run
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether it lives: one that is full is not ready, and must not be started anew for that.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["tellapart", "serve", "/run/tellapart", "--host", "0.0.0.0", "--port", "8000"]
