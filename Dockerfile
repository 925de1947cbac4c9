# A static program in an empty image: nothing else is in it, it runs as nobody, and its file system may be read-only.
#
#   docker build -t assayer .
#   docker run --rm --read-only assayer check
#   docker run --rm --read-only -v "$PWD/archive:/archive" assayer check --url https://registry.example --mode canary --out /archive
FROM rust:1.95-alpine AS build
# ring and SQLite are C; musl's headers make the program static.
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin assayer \
 && ! ldd target/release/assayer 2>/dev/null | grep -q '=>' \
 && mkdir -p /root-of-image/tmp && chmod 1777 /root-of-image/tmp \
 && cp target/release/assayer /root-of-image/assayer

FROM scratch
COPY --from=build /root-of-image /
USER 65534:65534
ENTRYPOINT ["/assayer"]
CMD ["--help"]
