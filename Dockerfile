FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --create-home --home-dir /data hindcast
COPY --from=build /src/target/release/hindcast /usr/local/bin/hindcast
USER hindcast
VOLUME /data
EXPOSE 7171
ENTRYPOINT ["hindcast"]
