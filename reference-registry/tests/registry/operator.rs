//! What an operator decides: who may call, under which names, through which proxy, how often.

use assayer_reference_registry::{Access, HostNames, Options, RateLimit, Secret, StartError, start};
use serde_json::json;

use crate::support::{Issuer, Registry, exchange, send};

fn refused(options: Options) -> StartError {
    tokio::runtime::Runtime::new().unwrap().block_on(start(options)).unwrap_err()
}

fn names() -> HostNames {
    let name = |text: &str| Some(text.parse().unwrap());
    HostNames {
        beacon: name("beacon.example"),
        license: name("license.example"),
        ocsp: name("ocsp.example"),
        registry: name("registry.example"),
    }
}

fn guarded() -> Options {
    Options { operator_token: Some(Secret::new("operator")), ..Options::ephemeral() }
}

#[test]
fn a_registry_that_others_can_reach_does_not_start_open_by_mistake() {
    let public = || Options { bind: ([0, 0, 0, 0], 0).into(), ..Options::ephemeral() };
    let error = refused(public());
    assert!(matches!(error, StartError::PublicWithoutToken { .. }));
    assert!(error.to_string().contains("operator token"), "{error}");
    let mapped = Options { bind: "[::ffff:0.0.0.0]:0".parse().unwrap(), ..Options::ephemeral() };
    assert!(matches!(refused(mapped), StartError::PublicWithoutToken { .. }));
    let behind = Options { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..Options::ephemeral() };
    assert!(matches!(refused(behind), StartError::PublicWithoutToken { .. }));
    let named = Options { hosts: names(), ..Options::ephemeral() };
    assert!(matches!(refused(named), StartError::PublicWithoutToken { .. }));
    let with_token = Options { operator_token: Some(Secret::new("operator")), ..public() };
    for options in [with_token, Options { access: Access::Open, ..public() }] {
        Registry::with(options).stop();
    }
}

#[test]
fn secrets_that_nobody_can_send_and_public_admin_listeners_are_start_errors() {
    for text in ["two words", "tab\t", "línea", "end\n"] {
        let options = Options { dns_event_secret: Some(Secret::new(text)), ..Options::ephemeral() };
        assert!(matches!(refused(options), StartError::UnsendableSecret), "{text:?}");
    }
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = Options { admin: Some(address.parse().unwrap()), ..Options::ephemeral() };
        assert!(matches!(refused(options), StartError::PublicAdmin { .. }), "{address}");
    }
}

/// Methods and targets that each host name serves.
const FAMILIES: &[(&str, &[(&str, &str)])] = &[
    ("beacon.example", &[("GET", "/p/t.png")]),
    ("license.example", &[("GET", "/v/t"), ("GET", "/lic/v/t")]),
    ("ocsp.example", &[("GET", "/r/t"), ("POST", "/r/t"), ("GET", "/ocsp/r/t"), ("HEAD", "/ocsp/r/t")]),
    (
        "registry.example",
        &[
            ("GET", "/health"),
            ("GET", "/.well-known/oversight-registry"),
            ("GET", "/evidence/none"),
            ("GET", "/tlog/head"),
            ("GET", "/tlog/proof/0"),
            ("GET", "/tlog/range"),
            ("GET", "/candidates/semantic"),
            ("POST", "/register"),
            ("POST", "/attribute"),
            ("POST", "/dns_event"),
        ],
    ),
];

#[test]
fn each_host_name_serves_its_own_family_and_nothing_else() {
    let registry = Registry::with(Options { hosts: names(), ..guarded() });
    let (address, token) = (registry.running.address(), "x-oversight-operator-token: operator");
    let asked = |host: &str, method: &str, target: &str| {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\n{token}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        exchange(address, request.as_bytes())
    };
    for (host, _) in FAMILIES {
        for (owner, routes) in FAMILIES {
            for (method, target) in *routes {
                let answer = asked(host, method, target);
                let text = String::from_utf8_lossy(&answer.body);
                let is_none = text.contains("no such endpoint");
                assert_eq!(
                    host != owner,
                    answer.status == 404 && (is_none || *method == "HEAD"),
                    "{host} {method} {target}: {text}"
                );
            }
            // Not even which methods a route would have.
            asked(host, "DELETE", routes[0].1).refuses(if host == owner { 405 } else { 404 }, "not_found");
        }
    }
    for host in ["127.0.0.1", "registry.example.evil.example", "localhost", "registry"] {
        asked(host, "GET", "/health").refuses(404, "not_found");
        asked(host, "GET", "/p/t.png").refuses(404, "not_found");
    }
    for host in ["Registry.Example", "registry.example:8765", "registry.example."] {
        asked(host, "GET", "/health").accepts();
    }
    registry.stop();
}

#[test]
fn a_redirect_leads_to_a_host_that_serves_its_target() {
    let dialect = assayer_reference_registry::Dialect::Announced;
    let registry = Registry::with(Options { hosts: names(), dialect, ..guarded() });
    let request = "GET /r/t HTTP/1.1\r\nhost: ocsp.example\r\nconnection: close\r\n\r\n";
    let answer = exchange(registry.running.address(), request.as_bytes());
    let expected = "https://registry.example/.well-known/oversight-registry";
    assert_eq!((answer.status, answer.header("location")), (302, Some(expected)));
    registry.stop();
}

#[test]
fn no_answer_is_kept_by_a_cache() {
    let registry = Registry::honest();
    for target in ["/tlog/head", "/p/t.png", "/r/t", "/v/t", "/nowhere", "/evidence/none"] {
        let answer = registry.get(target);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
    }
    registry.stop();
}

#[test]
fn only_a_trusted_proxy_names_the_client_and_only_the_last_address_counts() {
    let proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let registry = Registry::with(Options { trusted_proxies: proxies, ..guarded() });
    let token = [("x-oversight-operator-token", "operator")];
    registry.post_with("/register", &token, &Issuer::new(1).registration("file")).accepts();
    let opened = [("x-forwarded-for", "203.0.113.99, 198.51.100.7"), ("user-agent", "u")];
    assert_eq!(registry.send("GET", "/r/file-t1", &opened, b"").status, 200);
    registry.get("/r/file-t1");
    let events = registry.evidence("file")["events"].clone();
    assert_eq!(events[0]["source_ip"], "198.51.100.7");
    assert_eq!(events[1]["source_ip"], "127.0.0.1");
    registry.stop();
    let registry = Registry::honest();
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    registry.send("GET", "/r/file-t1", &opened, b"");
    assert_eq!(registry.evidence("file")["events"][0]["source_ip"], "127.0.0.1");
    registry.stop();
}

#[test]
fn behind_a_proxy_nobody_is_local() {
    let proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let event = json!({"token_id": "t"});
    let registry = Registry::with(Options { trusted_proxies: proxies, ..guarded() });
    registry.post("/dns_event", &event).refuses(503, "server_error");
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn a_client_behind_a_proxy_has_a_limit_of_its_own() {
    let options = Options {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        rate_limit: Some(RateLimit { per_second: 0, burst: 1 }),
        ..guarded()
    };
    let registry = Registry::with(options);
    let from = |address: &str| registry.send("GET", "/r/t", &[("x-forwarded-for", address)], b"").status;
    assert_eq!([from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.2")], [200, 429, 200]);
    assert_eq!(from("192.0.2.3, 192.0.2.1"), 429);
    assert_eq!([from("2001:db8::1"), from("2001:db8::2"), from("2001:db8:0:1::1")], [200, 429, 200]);
    registry.stop();
}

#[test]
fn reading_has_a_limit_of_its_own() {
    let options = Options { read_limit: Some(RateLimit { per_second: 0, burst: 2 }), ..Options::ephemeral() };
    let registry = Registry::with(options);
    let approved = [("origin", "https://oversight-protocol.github.io")];
    registry.get("/tlog/head").accepts();
    registry.post("/attribute", &json!({"token_id": "t"})).accepts();
    let refused = registry.send("GET", "/tlog/head", &approved, b"");
    refused.refuses(429, "rate_limited");
    assert!(
        refused.header("retry-after").is_some() && refused.header("access-control-allow-origin").is_some()
    );
    registry.post("/attribute", &json!({"token_id": "t"})).refuses(429, "rate_limited");
    assert_eq!(registry.get("/r/t").status, 200);
    registry.stop();
}

#[test]
fn guesses_at_the_token_use_up_the_limit() {
    let limit = Some(RateLimit { per_second: 0, burst: 2 });
    let registry = Registry::with(Options { rate_limit: limit, ..guarded() });
    let guess = |token| registry.post_with("/register", &[("x-oversight-operator-token", token)], &json!({}));
    guess("a").refuses(401, "auth_required");
    guess("b").refuses(401, "auth_required");
    guess("operator").refuses(429, "rate_limited");
    registry.stop();
}

#[test]
fn pages_of_further_origins_may_read_when_the_operator_says_so() {
    let own = "https://inspector.example";
    let registry =
        Registry::with(Options { cors_origins: vec![own.parse().unwrap()], ..Options::ephemeral() });
    for origin in [own, "https://oversight-protocol.github.io"] {
        let answer = registry.send("GET", "/health", &[("origin", origin)], b"");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    let foreign =
        registry.send("GET", "/health", &[("origin", "https://inspector.example.evil.example")], b"");
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    registry.stop();
}

#[test]
fn metrics_are_told_on_the_admin_listener_alone_and_name_no_token() {
    let admin = Some(([127, 0, 0, 1], 0).into());
    let registry = Registry::with(Options { admin, ..guarded() });
    let address = registry.running.admin_address().unwrap();
    registry.get("/r/very-private-token");
    registry.get("/nowhere-at-all");
    registry.get("/evidence/private-file");
    for target in ["/metrics", "/openapi.json", "/docs"] {
        registry.get(target).refuses(404, "not_found");
    }
    let answer = send(address, "GET", "/metrics", &[], b"");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let lines = [
        r#"oversight_registry_requests_total{route="/r/{token}",method="GET",status="200"} 1"#,
        r#"oversight_registry_requests_total{route="/evidence/{file_id}",method="GET",status="404"} 1"#,
        r#"oversight_registry_requests_total{route="none",method="GET",status="404"} 4"#,
        "oversight_registry_tlog_size 1",
        "oversight_registry_requests_in_flight 0",
    ];
    for line in lines {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("private") && !text.contains("operator"));
    assert_eq!(send(address, "GET", "/health", &[], b"").accepts()["tlog_size"], 1);
    send(address, "GET", "/register", &[], b"").refuses(404, "not_found");
    let rebound = "GET /metrics HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    exchange(address, rebound.as_bytes()).refuses(404, "not_found");
    registry.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}
