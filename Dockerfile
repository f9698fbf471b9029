# Mordomo without servers of its own; docker-compose.yml brings them.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/mordomo
WORKDIR /build
COPY requirements.lock ./
RUN /opt/mordomo/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY models models
COPY db db
COPY daemon daemon
RUN /opt/mordomo/bin/pip install --quiet --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin mordomo \
    && install --directory --owner=mordomo --group=mordomo --mode=700 /var/lib/mordomo
COPY --from=build /opt/mordomo /opt/mordomo
ENV PATH=/opt/mordomo/bin:$PATH PYTHONDONTWRITEBYTECODE=1 MORDOMO_DATA_DIR=/var/lib/mordomo
USER mordomo
WORKDIR /var/lib/mordomo
VOLUME /var/lib/mordomo
EXPOSE 8765
STOPSIGNAL SIGTERM
ENTRYPOINT ["mordomo"]
CMD ["run"]
