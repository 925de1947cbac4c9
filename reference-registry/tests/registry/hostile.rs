//! Requests that no honest client sends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use assayer_reference_registry::{Options, Timeouts};
use serde_json::json;

use crate::support::{Registry, answer, exchange};

fn asked(registry: &Registry, request: &str) -> crate::support::Answer {
    exchange(registry.running.address(), request.as_bytes())
}

#[test]
fn a_message_with_two_framings_is_refused_and_what_follows_it_is_not_read() {
    let registry = Registry::honest();
    let smuggled = "GET /r/smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let post = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let refused = [
        format!("{post}content-length: 30\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}{smuggled}"),
        format!("{post}content-length: 2, 2\r\n\r\n{{}}{smuggled}"),
        format!("{post}content-length: +2\r\n\r\n{{}}{smuggled}"),
        format!("{post}content-length: -1\r\n\r\n{{}}{smuggled}"),
        format!("{post}content-length: 0x2\r\n\r\n{{}}{smuggled}"),
        format!("{post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n{smuggled}"),
        format!("{post}transfer-encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n{smuggled}"),
        format!(
            "POST /dns_event HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("GET /health HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n{smuggled}"),
        format!("GET /health HTTP/1.1\r\nhost: x\r\nbad name: y\r\n\r\n{smuggled}"),
    ];
    for request in refused {
        let answer = asked(&registry, &request);
        assert_eq!(answer.status, 400, "{request:?}");
    }
    // The length after the coding is dropped by the HTTP library before it can be seen: the coding decides, and the connection ends.
    let coding_first = format!(
        "{post}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{smuggled}"
    );
    let answer = asked(&registry, &coding_first);
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert_eq!(registry.size(), 0, "a request inside of a body was answered");
    registry.stop();
}

#[test]
fn a_body_is_chunked_once_and_nothing_else() {
    let registry = Registry::honest();
    let sent = |coding: &str| {
        let head = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        let body = "10\r\n{\"token_id\":\"t\"}\r\n0\r\n\r\n";
        asked(&registry, &format!("{head}transfer-encoding: {coding}\r\n\r\n{body}"))
    };
    for coding in ["chunked", "Chunked", " chunked "] {
        sent(coding).accepts();
    }
    for coding in ["gzip, chunked", "chunked\r\ntransfer-encoding: chunked"] {
        sent(coding).refuses(400, "missing_field");
    }
    assert_eq!(registry.size(), 3);
    registry.stop();
}

#[test]
fn a_request_is_for_one_host() {
    let registry = Registry::honest();
    let refused = [
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET http://a/health HTTP/1.1\r\nhost: b\r\n\r\n",
    ];
    for request in refused {
        let answer = asked(&registry, request);
        answer.refuses(400, "missing_field");
        assert_eq!(answer.header("connection"), Some("close"), "{request:?}");
    }
    let absolute = "GET http://a/health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    asked(&registry, absolute).accepts();
    asked(&registry, "GET /health HTTP/1.0\r\n\r\n").accepts();
    registry.stop();
}

#[test]
fn targets_and_header_fields_are_bounded() {
    let registry = Registry::honest();
    let with = |target: &str, field: &str| {
        asked(
            &registry,
            &format!("GET {target} HTTP/1.1\r\nhost: x\r\nx: {field}\r\nconnection: close\r\n\r\n"),
        )
    };
    with(&format!("/health?{}", "a".repeat(5000)), "y").refuses(414, "missing_field");
    with("/health", &"y".repeat(17_000)).refuses(431, "missing_field");
    with(&format!("/evidence/{}", "%C3%9F".repeat(128)), &"y".repeat(15_000)).refuses(404, "not_found");
    let many: String = (0..200).map(|number| format!("x{number}: y\r\n")).collect();
    let bomb = asked(&registry, &format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n"));
    assert_eq!(bomb.status, 431);
    let huge =
        asked(&registry, &format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(350_000)));
    assert_eq!(huge.status, 431);
    registry.get("/health").accepts();
    registry.stop();
}

#[test]
fn a_body_says_that_it_is_json_as_it_is() {
    let registry = Registry::honest();
    let json = ("content-type", "application/json");
    let sent = |fields: &[(&str, &str)], body: &[u8]| registry.send("POST", "/dns_event", fields, body);
    let good = br#"{"token_id":"t"}"#;
    let refused: [&[(&str, &str)]; 8] = [
        &[json, ("content-encoding", "gzip")],
        &[json, ("content-encoding", "identity, br")],
        &[json, json],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "application/json; charset=iso-8859-1")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "application/json\u{a0}")],
    ];
    for fields in refused {
        sent(fields, good).refuses(415, "missing_field");
    }
    let utf16: Vec<u8> = "{\"token_id\":\"t\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    sent(&[json], &utf16).refuses(400, "missing_field");
    assert_eq!(registry.size(), 0);
    sent(&[json, ("content-encoding", "identity")], good).accepts();
    registry.stop();
}

#[test]
fn a_slow_body_is_given_up_and_others_are_served_meanwhile() {
    let body = Duration::from_millis(400);
    let timeouts = Timeouts { body, ..Timeouts::default() };
    let registry = Registry::with(Options { timeouts, ..Options::ephemeral() });
    let slow = || {
        let mut stream = TcpStream::connect(registry.running.address()).unwrap();
        let head = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{";
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let (started, streams) = (Instant::now(), [(); 32].map(|()| slow()));
    registry.post("/dns_event", &json!({"token_id": "t"})).accepts();
    for stream in streams {
        let answer = answer(stream);
        answer.refuses(408, "missing_field");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert!(started.elapsed() >= body);
    assert_eq!(registry.size(), 1);
    registry.stop();
}

#[test]
fn large_bodies_that_are_sent_by_half_keep_nobody_waiting() {
    let registry = Registry::honest();
    let address = registry.running.address();
    let half = || {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b' '; 20_000]).unwrap();
        stream
    };
    let halves = [(); 64].map(|()| half());
    let (started, mut whole) = (Instant::now(), vec![b' '; 50_000]);
    whole.extend_from_slice(br#"{"token_id":"t"}"#);
    registry.send("POST", "/dns_event", &[("content-type", "application/json")], &whole).accepts();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(halves);
    registry.stop();
}

/// What a body is read into can be thirty times as large as its text.
#[test]
fn bodies_of_many_small_values_are_bounded_by_these() {
    let registry = Registry::with(Options { memory: 8 << 20, ..Options::ephemeral() });
    let sent = |values: usize| {
        let body = format!("{{\"token_id\":\"t\",\"x\":[{}0]}}", "{\"a\":0},".repeat(values / 2));
        registry.send("POST", "/dns_event", &[("content-type", "application/json")], body.as_bytes())
    };
    sent(200_000).refuses(400, "missing_field");
    sent(20_000).refuses(503, "server_error");
    sent(2_000).accepts();
    registry.stop();
}

/// Of one client's answers only so many wait to be read as there is room for, and the small ones of others are served meanwhile.
#[test]
fn answers_that_nobody_reads_take_no_more_memory_than_there_is() {
    let registry = Registry::with(Options { memory: 32 << 20, ..Options::ephemeral() });
    let agent = "a".repeat(15_000);
    for _ in 0..200 {
        let opened = registry.send("GET", "/p/unknown.png", &[("user-agent", &agent)], b"");
        assert_eq!(opened.status, 200);
    }
    let page = "GET /tlog/range?limit=200 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let first_line = |stream: &mut TcpStream| {
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    };
    let asked = || {
        let mut stream = TcpStream::connect(registry.running.address()).unwrap();
        stream.write_all(page.as_bytes()).unwrap();
        (first_line(&mut stream), stream)
    };
    let (line, unread) = asked();
    assert_eq!(line, "HTTP/1.1 200");
    let refused = exchange(registry.running.address(), page.as_bytes());
    refused.refuses(503, "server_error");
    assert_eq!(refused.header("retry-after"), Some("10"));
    registry.get("/tlog/head").accepts();
    drop(unread);
    let deadline = Instant::now() + Duration::from_secs(10);
    while asked().0 != "HTTP/1.1 200" {
        assert!(Instant::now() < deadline, "the room of an answer is not given back");
        std::thread::sleep(Duration::from_millis(50));
    }
    registry.stop();
}

#[test]
fn half_a_body_leaves_no_trace() {
    let registry = Registry::honest();
    let mut stream = TcpStream::connect(registry.running.address()).unwrap();
    let head = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(br#"{"token_id":"t"}"#).unwrap();
    drop(stream);
    let chunked = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"token_id\":\"t\"}\r\n";
    let mut stream = TcpStream::connect(registry.running.address()).unwrap();
    stream.write_all(chunked.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest));
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400 "), "{:?}", String::from_utf8_lossy(&rest));
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn a_refused_caller_is_told_so_although_it_sends_much() {
    let options = Options {
        operator_token: Some(assayer_reference_registry::Secret::new("operator")),
        ..Options::ephemeral()
    };
    let registry = Registry::with(options);
    let large = vec![b'x'; 4 * 1024 * 1024];
    let fields = [("content-type", "application/json")];
    registry.send("POST", "/register", &fields, &large).refuses(401, "auth_required");
    registry.stop();
}

#[test]
fn who_asks_before_sending_a_body_is_refused_before_sending_it() {
    let token = Some(assayer_reference_registry::Secret::new("operator"));
    let registry = Registry::with(Options { operator_token: token, ..Options::ephemeral() });
    let head = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n";
    asked(&registry, head).refuses(401, "auth_required");
    registry.stop();
}

#[test]
fn a_body_without_end_is_cut_off() {
    let registry = Registry::honest();
    let mut stream = TcpStream::connect(registry.running.address()).unwrap();
    let head = "POST /dns_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let (chunk, mut sent) = (vec![b' '; 1 << 20], 0);
    while sent < 100 && stream.write_all(&chunk).is_ok() {
        sent += 1;
    }
    assert!(sent < 64, "{sent} MiB were taken");
    registry.get("/health").accepts();
    assert_eq!(registry.size(), 0);
    registry.stop();
}

/// Under load the body of a request comes after its header, and perhaps after the answer. A client that uses the connection again must
/// not find it closed without a word.
#[test]
fn a_connection_outlives_a_body_that_nobody_reads() {
    let registry = Registry::honest();
    for (method, target, expected) in [("POST", "/health", "405"), ("POST", "/nowhere", "404")] {
        let mut stream = TcpStream::connect(registry.running.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!("{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"{}DELETE /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        assert!(answers.starts_with(&format!("HTTP/1.1 {expected} ")), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
    }
    registry.stop();
}
