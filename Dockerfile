# The registry, small and without privileges. docs/operating.md says how to run it.
#
#   docker build --tag fivebyte .
#   docker run --publish 127.0.0.1:8081:8081 --volume fivebyte:/var/lib/fivebyte fivebyte

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY broker_adapter ./broker_adapter
COPY examples ./examples
COPY fivebyte ./fivebyte
COPY registry ./registry
COPY serde ./serde
RUN python3 -m venv --without-pip /opt/fivebyte \
    && pip --python /opt/fivebyte/bin/python3 install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
COPY --from=build /opt/fivebyte /opt/fivebyte
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /var/lib/fivebyte fivebyte \
    && install --directory --owner fivebyte --group fivebyte /var/lib/fivebyte
ENV PATH=/opt/fivebyte/bin:$PATH \
    FIVEBYTE_HOST=0.0.0.0 \
    FIVEBYTE_STORE=sqlite:////var/lib/fivebyte/schemas.db
WORKDIR /var/lib/fivebyte
VOLUME /var/lib/fivebyte
USER 10001
EXPOSE 8081
# Takes its port and its TLS from the same variables as the server.
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["fivebyte", "doctor", "--ready"]
ENTRYPOINT ["fivebyte"]
CMD ["serve"]
