//! HTTP/1.1 as it stands on the wire: a server library would repair what has to be sent broken.

use std::io::{self, Read, Write};

use assayer_vectors::Sending;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::message::{Fields, Reply, Request, field, remove_field, set_field};

/// No longer head of a request is read, no more header fields, and no longer body.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_FIELDS: usize = 128;
const LONGEST_BODY: usize = 64 << 20;

/// Reads requests from one connection.
pub(super) struct Requests<R> {
    from: R,
    /// What was read and belongs to no request yet.
    buffer: Vec<u8>,
}

fn bad(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

impl<R: Read> Requests<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, buffer: Vec::new() }
    }

    /// The next request; `None` when the client has closed the connection between two requests.
    pub(super) fn next(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some((mut request, length)) = head(&self.buffer)? {
                self.buffer.drain(..length);
                request.body = self.body(&request.headers)?;
                return Ok(Some(request));
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err(bad("the head of the request is too long"));
            }
            if !self.more()? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    fn more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 8192];
        let length = self.from.read(&mut piece)?;
        self.buffer.extend(piece.iter().take(length));
        Ok(length > 0)
    }

    fn body(&mut self, headers: &Fields) -> io::Result<Vec<u8>> {
        let text = |name| field(headers, name).map(String::from_utf8_lossy);
        if text("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        match text("content-length") {
            None => Ok(Vec::new()),
            Some(length) => self.take(length.trim().parse().map_err(|_| bad("content-length is no number"))?),
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > LONGEST_BODY {
            return Err(bad("the body of the request is too long"));
        }
        while self.buffer.len() < length {
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match httparse::parse_chunk_size(&self.buffer).map_err(|_| bad("a chunk has no size"))? {
                httparse::Status::Partial => {
                    if self.buffer.len() > LONGEST_HEAD || !self.more()? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                httparse::Status::Complete((line, size)) => {
                    self.take(line)?;
                    let size = usize::try_from(size).unwrap_or(usize::MAX).min(LONGEST_BODY + 1);
                    body.extend(self.take(size)?);
                    self.take(2)?;
                    if body.len() > LONGEST_BODY {
                        return Err(bad("the body of the request is too long"));
                    }
                    if size == 0 {
                        return Ok(body);
                    }
                }
            }
        }
    }
}

/// The request that stands at the beginning, without its body, and how long its head is.
fn head(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let status = parsed.parse(buffer).map_err(|error| bad(&error.to_string()))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed.headers.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect(),
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

/// Writes an answer; whether the connection can be used again.
pub(super) fn write(to: &mut impl Write, method: &str, reply: &Reply) -> io::Result<bool> {
    let has = |sending| reply.sending.contains(&sending);
    if has(Sending::Nothing) {
        return Ok(false);
    }
    let mut reply = reply.clone();
    if has(Sending::Gzip) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&reply.body)?;
        reply.body = encoder.finish()?;
        set_field(&mut reply.headers, "content-encoding", b"gzip");
    }
    let chunked = has(Sending::Chunked) && method != "HEAD" && !is_bodiless(reply.status);
    let open_end = has(Sending::UntilClosed) && method != "HEAD" && !is_bodiless(reply.status);
    let close = open_end || has(Sending::Close) || has(Sending::Broken);
    framing(&mut reply, method, chunked, open_end, close);
    let mut bytes = head_bytes(&reply);
    if method != "HEAD" && !is_bodiless(reply.status) {
        let whole = if chunked { in_chunks(&reply.body) } else { reply.body.clone() };
        let sent = if has(Sending::Broken) { whole.len() / 2 } else { whole.len() };
        bytes.extend(whole.into_iter().take(sent));
    }
    if has(Sending::ByteByByte) {
        bytes.chunks(1).try_for_each(|byte| to.write_all(byte).and_then(|()| to.flush()))?;
    } else {
        to.write_all(&bytes)?;
    }
    to.flush()?;
    Ok(!close)
}

/// RFC 9110, section 6.4.1: these have no content.
fn is_bodiless(status: u16) -> bool {
    status < 200 || status == 204 || status == 304
}

fn framing(reply: &mut Reply, method: &str, chunked: bool, open_end: bool, close: bool) {
    if method != "HEAD" {
        remove_field(&mut reply.headers, "content-length");
    }
    if chunked {
        set_field(&mut reply.headers, "transfer-encoding", b"chunked");
    } else if !open_end && method != "HEAD" && !is_bodiless(reply.status) {
        let length = reply.body.len().to_string();
        set_field(&mut reply.headers, "content-length", length.as_bytes());
    }
    if close {
        set_field(&mut reply.headers, "connection", b"close");
    }
}

fn head_bytes(reply: &Reply) -> Vec<u8> {
    let has = |sending| reply.sending.contains(&sending);
    let reason = if has(Sending::NoReason) { "" } else { reason(reply.status) };
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", reply.status).into_bytes();
    let mut fields: Vec<&(String, Vec<u8>)> = reply.headers.iter().collect();
    if has(Sending::HeadersReversed) {
        fields.reverse();
    }
    for (name, value) in fields {
        let name = match () {
            () if has(Sending::UpperCaseNames) => name.to_ascii_uppercase(),
            () if has(Sending::TitleCaseNames) => title_case(name),
            () => name.clone(),
        };
        bytes.extend(name.as_bytes());
        bytes.extend(b": ");
        bytes.extend(value);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
    bytes
}

fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    });
    words.collect::<Vec<_>>().join("-")
}

fn reason(status: u16) -> &'static str {
    let known = ureq::http::StatusCode::from_u16(status).ok();
    known.and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

/// In chunks of three sizes, so that no member ends where a chunk ends.
fn in_chunks(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = body;
    for size in [1, 7, 1021].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
        rest = after;
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_one_after_the_other() {
        let text = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\n\r\nPUT /d HTTP/1.1\r\n\
            Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
        let mut requests = Requests::new(&text[..]);
        let mut next = || requests.next().unwrap().map(|request| (request.target, request.body));
        assert_eq!(next(), Some(("/a?b".to_owned(), b"abc".to_vec())));
        assert_eq!(next(), Some(("/c".to_owned(), b"".to_vec())));
        assert_eq!(next(), Some(("/d".to_owned(), b"def".to_vec())));
        assert_eq!(next(), None);
        for broken in [&b"GET"[..], b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"\0\r\n\r\n"] {
            assert!(Requests::new(broken).next().is_err());
        }
    }

    fn written(method: &str, sending: &[Sending]) -> (String, bool) {
        let headers = vec![("x-y".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())];
        let reply = Reply { status: 200, headers, body: b"0123456789".to_vec(), sending: sending.to_vec() };
        let mut bytes = Vec::new();
        let again = write(&mut bytes, method, &reply).unwrap();
        (String::from_utf8_lossy(&bytes).into_owned(), again)
    }

    #[test]
    fn answers_are_sent_as_asked() {
        let plain = "HTTP/1.1 200 OK\r\nx-y: 1\r\nb: 2\r\ncontent-length: 10\r\n\r\n0123456789";
        assert_eq!(written("GET", &[]), (plain.to_owned(), true));
        assert_eq!(written("GET", &[Sending::ByteByByte]), (plain.to_owned(), true));
        assert_eq!(written("HEAD", &[]).0, "HTTP/1.1 200 OK\r\nx-y: 1\r\nb: 2\r\n\r\n");
        let chunked = written("GET", &[Sending::Chunked, Sending::TitleCaseNames]).0;
        assert!(
            chunked.ends_with(
                "Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n7\r\n1234567\r\n2\r\n89\r\n0\r\n\r\n"
            )
        );
        assert!(chunked.contains("X-Y: 1\r\n"));
        let (closed, again) = written("GET", &[Sending::UntilClosed, Sending::NoReason]);
        assert!(
            closed.starts_with("HTTP/1.1 200 \r\n")
                && closed.ends_with("connection: close\r\n\r\n0123456789")
        );
        assert!(!again);
        assert!(written("GET", &[Sending::Broken]).0.ends_with("\r\n\r\n01234"));
        assert_eq!(written("GET", &[Sending::Nothing]), (String::new(), false));
        assert!(
            written("GET", &[Sending::Gzip, Sending::UpperCaseNames]).0.contains("CONTENT-ENCODING: gzip")
        );
    }
}
