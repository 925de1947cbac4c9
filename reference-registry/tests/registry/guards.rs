//! Who may call what, and how refusals look.

use crate::support::{self, Issuer, Registry, exchange};
use assayer_reference_registry::{Access, Options, RateLimit, Secret, StartError, start};
use serde_json::json;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn every_route_and_method_that_there_is_not_is_refused_in_the_envelope() {
    let registry = Registry::honest();
    for target in ["/nope", "/", "/query/file", "/docs", "/r/", "/evidence/", "/p/x", "/p/x.jpg", "/health/"]
    {
        registry.get(target).refuses(404, "not_found");
    }
    let methods = [
        ("POST", "/health"),
        ("DELETE", "/evidence/x"),
        ("GET", "/register"),
        ("PUT", "/r/t"),
        ("POST", "/p/t.png"),
    ];
    for (method, target) in methods {
        let answer = registry.send(method, target, &[], b"");
        answer.refuses(405, "not_found");
        assert!(answer.header("allow").is_some_and(|allow| !allow.is_empty()), "{method} {target}");
    }
    assert_eq!(registry.send("DELETE", "/r/t", &[], b"").header("allow"), Some("GET,HEAD,POST"));
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn every_body_that_cannot_be_read_is_refused_in_the_envelope() {
    let registry = Registry::honest();
    for target in ["/register", "/attribute", "/dns_event"] {
        let bodies: [&[u8]; 8] = [
            b"",
            b"{",
            b"{} x",
            b"[]",
            br#"{"a":1,"a":2}"#,
            b"\"\\ud800\"",
            b"{\"token_id\":\"\xff\"}",
            br#"{"token_id":"\ud800"}"#,
        ];
        for body in bodies {
            registry.send("POST", target, &[JSON], body).refuses(400, "missing_field");
        }
        registry.send("POST", target, &[JSON], "[".repeat(100_000).as_bytes()).refuses(400, "missing_field");
        registry.send("POST", target, &[("content-type", "text/plain")], b"{}").refuses(415, "missing_field");
        registry.send("POST", target, &[], b"{}").refuses(415, "missing_field");
        let large = vec![b' '; 2 * 1024 * 1024 + 1];
        registry.send("POST", target, &[JSON], &large).refuses(413, "missing_field");
    }
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn every_identifier_that_cannot_be_one_is_refused_in_the_envelope() {
    let registry = Registry::honest();
    for target in ["/r/%ff", "/v/%ff", "/p/%ff.png", "/p/.png", "/evidence/%ff"] {
        registry.get(target).refuses(400, "missing_field");
    }
    let long = "x".repeat(257);
    for target in
        [format!("/r/{long}"), format!("/v/{long}"), format!("/p/{long}.png"), format!("/evidence/{long}")]
    {
        registry.get(&target).refuses(400, "missing_field");
    }
    assert_eq!(registry.size(), 0);
    assert_eq!(registry.get(&format!("/p/{}.png", &long[1..])).status, 200);
    registry.stop();
}

#[test]
fn a_body_of_two_mebibytes_and_suffixed_types_are_read() {
    let registry = Registry::honest();
    let mut body = json!({"token_id": "t"}).to_string().into_bytes();
    body.resize(2 * 1024 * 1024, b' ');
    let answer = registry.send(
        "POST",
        "/attribute",
        &[("content-type", "application/vnd.x+json; charset=utf-8")],
        &body,
    );
    assert_eq!(answer.accepts(), json!({"found": false}));
    registry.stop();
}

#[test]
fn nesting_is_read_to_128_levels() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    // Body, manifest and policy are levels 1 to 3.
    let nested = |file_id: &str, levels: usize| {
        let mut manifest = issuer.manifest(file_id);
        manifest["policy"]["deep"] = (1..levels).fold(json!([]), |inner, _| json!([inner]));
        issuer.registration_of(manifest)
    };
    registry.post("/register", &nested("deep", 125)).accepts();
    assert_eq!(registry.get("/evidence/deep").status, 200);
    registry.post("/register", &nested("deeper", 126)).refuses(400, "missing_field");
    registry.stop();
}

#[test]
fn head_requests_record_nothing() {
    let registry = Registry::honest();
    for target in ["/p/t.png", "/r/t", "/ocsp/r/t", "/v/t", "/lic/v/t"] {
        let (head, get) = (registry.send("HEAD", target, &[], b""), registry.get(target));
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(head.header("content-length"), get.header("content-length"));
    }
    assert_eq!(registry.size(), 5);
    assert_eq!(registry.send("HEAD", "/health", &[], b"").status, 200);
    registry.stop();
}

fn with_operator_token() -> Registry {
    Registry::with(Options { operator_token: Some(Secret::new("operator")), ..Options::ephemeral() })
}

#[test]
fn the_operator_token_guards_registration_and_attribution() {
    let (registry, registration) = (with_operator_token(), Issuer::new(1).registration("file"));
    let question = json!({"token_id": "file-t1"});
    let wrong: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "Bearer wrong")],
        &[("x-oversight-operator-token", "wrong")],
        &[("x-oversight-operator-token", "operator"), ("authorization", "Bearer wrong")],
        &[("x-oversight-operator-token", "wrong"), ("authorization", "Bearer operator")],
    ];
    for headers in wrong {
        registry.post_with("/register", headers, &registration).refuses(401, "auth_required");
        registry.post_with("/attribute", headers, &question).refuses(401, "auth_required");
        registry.post_with("/register", headers, &json!({})).refuses(401, "auth_required");
    }
    registry.send("POST", "/register", &[JSON], b"{").refuses(401, "auth_required");
    assert_eq!(registry.size(), 0);
    registry.post_with("/register", &[("authorization", "bearer operator")], &registration).accepts();
    let own = [("x-oversight-operator-token", "operator")];
    assert_eq!(registry.post_with("/attribute", &own, &question).accepts()["found"], true);
    registry.evidence("file");
    registry.stop();
}

#[test]
fn the_dns_secret_is_asked_of_loopback_too() {
    let registry =
        Registry::with(Options { dns_event_secret: Some(Secret::new("hush")), ..Options::ephemeral() });
    let event = json!({"token_id": "t"});
    registry.post("/dns_event", &event).refuses(401, "auth_required");
    registry
        .post_with("/dns_event", &[("x-oversight-dns-secret", "wrong")], &event)
        .refuses(401, "auth_required");
    registry
        .post_with("/dns_event", &[("x-forwarded-for", "127.0.0.1")], &event)
        .refuses(401, "auth_required");
    assert_eq!(registry.size(), 0);
    registry.post_with("/dns_event", &[("x-oversight-dns-secret", "hush")], &event).accepts();
    registry.post_with("/dns_event", &[("authorization", "Bearer hush")], &event).accepts();
    registry.stop();
}

#[test]
fn without_a_dns_secret_only_programs_on_this_machine_are_heard() {
    let Some(own_address) = non_loopback_address() else { return };
    let options = Options { bind: ([0, 0, 0, 0], 0).into(), access: Access::Open, ..Options::ephemeral() };
    let registry = Registry::with(options);
    let remote = std::net::SocketAddr::new(own_address, registry.running.address().port());
    let forwarded = [JSON, ("x-forwarded-for", "127.0.0.1")];
    support::send(remote, "POST", "/dns_event", &forwarded, br#"{"token_id":"t"}"#)
        .refuses(503, "server_error");
    for forwarding in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let event = json!({"token_id": "t"});
        registry.post_with("/dns_event", &[(forwarding, "127.0.0.1")], &event).refuses(503, "server_error");
    }
    assert_eq!(registry.size(), 0);
    registry.post("/dns_event", &json!({"token_id": "t"})).accepts();
    registry.stop();
}

/// This machine's address as the routing table sees it; no packet is sent.
fn non_loopback_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn approved_origins_may_read_and_others_may_not() {
    let (registry, approved) = (Registry::honest(), "https://oversight-protocol.github.io");
    let targets = [
        "/health",
        "/.well-known/oversight-registry",
        "/tlog/head",
        "/tlog/range",
        "/tlog/range?start=-1",
        "/tlog/proof/0",
        "/evidence/none",
        "/candidates/semantic",
    ];
    for target in targets {
        let answer = registry.send("GET", target, &[("origin", approved)], b"");
        assert_eq!(answer.header("access-control-allow-origin"), Some(approved), "{target}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        for foreign in ["https://evil.example", "https://oversight-protocol.github.io.evil.example", "null"] {
            let answer = registry.send("GET", target, &[("origin", foreign)], b"");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{target}");
        }
    }
    let wrong_method = registry.send("POST", "/health", &[("origin", approved)], b"");
    wrong_method.refuses(405, "not_found");
    assert_eq!(wrong_method.header("access-control-allow-origin"), Some(approved));
    let asks = [("origin", approved), ("access-control-request-method", "GET")];
    let preflight = registry.send("OPTIONS", "/tlog/head", &asks, b"");
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(approved));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("GET"));
    let answer = registry.send("POST", "/attribute", &[JSON, ("origin", approved)], br#"{"token_id":"t"}"#);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    registry.stop();
}

#[test]
fn the_rate_limit_covers_what_leaves_a_trace() {
    let limit = Some(RateLimit { per_second: 0, burst: 3 });
    let registry = Registry::with(Options { rate_limit: limit, ..Options::ephemeral() });
    for _ in 0..3 {
        assert_eq!(registry.send("GET", "/r/t", &[], b"").status, 200);
    }
    let spoofed = registry.send("GET", "/p/t.png", &[("x-forwarded-for", "198.51.100.1")], b"");
    spoofed.refuses(429, "rate_limited");
    assert!(spoofed.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    registry.post("/register", &Issuer::new(1).registration("file")).refuses(429, "rate_limited");
    registry.post("/dns_event", &json!({"token_id": "t"})).refuses(429, "rate_limited");
    for _ in 0..10 {
        registry.get("/tlog/head").accepts();
        registry.post("/attribute", &json!({"token_id": "t"})).accepts();
    }
    assert_eq!(registry.size(), 3);
    registry.stop();
}

#[test]
fn unknown_faults_and_empty_secrets_are_start_errors() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = |options| runtime.block_on(start(options)).unwrap_err();
    let unknown = Options { faults: [String::from("no-such-fault")].into(), ..Options::ephemeral() };
    assert!(matches!(refused(unknown), StartError::UnknownFault { id } if id == "no-such-fault"));
    let empty = Options { operator_token: Some(Secret::new("")), ..Options::ephemeral() };
    assert!(matches!(refused(empty), StartError::EmptySecret));
    let first = runtime.block_on(start(Options::ephemeral())).unwrap();
    let taken = Options { bind: first.address(), ..Options::ephemeral() };
    assert!(matches!(refused(taken), StartError::Bind { .. }));
    runtime.block_on(first.stop());
}

#[test]
fn stopping_closes_idle_connections_and_the_port() {
    let registry = Registry::honest();
    let address = registry.running.address();
    let idle = std::net::TcpStream::connect(address).unwrap();
    let started = std::time::Instant::now();
    registry.stop();
    assert!(started.elapsed() < std::time::Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(std::net::TcpStream::connect(address).is_err());
    drop(idle);
}

#[test]
fn a_request_that_is_not_http_does_not_stop_the_registry() {
    let registry = Registry::honest();
    assert_eq!(exchange(registry.running.address(), b"nonsense\r\n\r\n").status, 400);
    registry.get("/health").accepts();
    registry.stop();
}
