# Viaduct in a container. Media needs its UDP ports unchanged, so run it on the host's network:
#   docker build -t viaduct . && docker run --rm --network host --read-only --ulimit memlock=-1 viaduct
# It writes nothing (and sees to it that it cannot), needs no privilege, and stops cleanly on SIGTERM. With io = "dpdk" it needs
# some: deploy/docs/dpdk.md.

FROM debian:bookworm AS build
WORKDIR /src
COPY deploy/packages deploy/install-packages deploy/
RUN deploy/install-packages build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY deploy/viaduct.toml deploy/
COPY kernels kernels
COPY dpdk dpdk
COPY bridge bridge
RUN cmake --preset release -DVIADUCT_TESTS=OFF \
    && cmake --build --preset release --target viaduct \
    && DESTDIR=/install cmake --install build/release --prefix /usr/local --strip

FROM debian:bookworm-slim
COPY deploy/packages deploy/install-packages /tmp/deploy/
RUN /tmp/deploy/install-packages run && rm -rf /var/lib/apt/lists/* /tmp/deploy \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin viaduct
COPY --from=build /install/ /
COPY deploy/healthcheck /usr/local/bin/viaduct-healthcheck
USER 10001
EXPOSE 8080/tcp 10000-10063/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["viaduct-healthcheck"]
ENTRYPOINT ["viaduct"]
CMD ["--config", "/usr/local/etc/viaduct/viaduct.toml"]
