# syntax=docker/dockerfile:1
#
#   docker build -t textbridge .
#   docker run --env-file .env -p 8080:8080 -v textbridge:/data textbridge
#   docker run --rm --env-file .env textbridge doctor

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What changes seldom comes first, so that a change of code does not download anything again.
COPY requirements-build.lock requirements.lock ./
RUN python -m venv /opt/textbridge \
    && /opt/textbridge/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.lock \
    && python -m pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE CHANGELOG.md app.yaml ./
COPY bot bot
COPY handlers handlers
COPY storage storage
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/textbridge/bin/python -m pip install --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
ENV PATH=/opt/textbridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATABASE_URL=sqlite:////data/textbridge.db
RUN useradd --system --uid 10001 --home-dir /app --create-home --shell /usr/sbin/nologin textbridge \
    && install --directory --owner textbridge --group textbridge --mode 0700 /data
COPY --from=build /opt/textbridge /opt/textbridge
# Python's image comes without its own modules compiled, and who is not root cannot keep what is compiled at each start:
# half a second. So all that the bridge loads is loaded once here.
RUN PYTHONDONTWRITEBYTECODE= python -c "import bot.cli.serving, bot.serve, bot.works, bot.exposition, handlers.framework"
WORKDIR /app
USER textbridge
VOLUME /data
EXPOSE 8080
# Alive is all that this asks: a bridge that waits for Slack must not be killed for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "bot"]
