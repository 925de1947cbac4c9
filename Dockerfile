# A static program in an empty image: nothing else is in it, it runs as nobody, and its file system may be read-only.
#
#   docker build -t assayer .
#   docker run --rm --read-only assayer check
#   docker run --rm --read-only -v "$PWD/archive:/archive" assayer check --url https://registry.example --mode canary --out /archive
FROM rust:1.95-alpine AS build
# ring and SQLite are C; with musl the program is static. One that asks for a loader would not start in an empty image: no such image is made.
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin assayer \
 && file=target/release/assayer && readelf -h "$file" > /dev/null && ! readelf -l "$file" | grep INTERP \
 && mkdir -p /root-of-image/tmp && chmod 1777 /root-of-image/tmp \
 && cp target/release/assayer /root-of-image/assayer

FROM scratch
COPY --from=build /root-of-image /
USER 65534:65534
ENTRYPOINT ["/assayer"]
CMD ["--help"]
