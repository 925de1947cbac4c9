//! What is asked without a connection is answered as on one.

use assayer_reference_registry::Options;
use axum::http::Request;

use crate::support::{Answer, Issuer, Registry};

/// Method, target, header fields and body.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

/// The answer to the same request without a connection.
fn direct(registry: &Registry, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method == "POST" {
        request = request.header("content-length", body.len());
    }
    let answer = registry.running.direct().ask(request.body(body.to_vec()).unwrap()).unwrap();
    let headers = answer.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Answer { status: answer.status().as_u16(), headers: headers.collect(), body: answer.body().clone() }
}

/// Header fields in order of their names, without those of the connection and with a date that is only looked at.
fn headers(answer: &Answer, has_body: bool) -> Vec<(String, String)> {
    let mut headers = answer.headers.clone();
    for (_, value) in headers.iter_mut().filter(|(name, _)| name == "date") {
        assert!(value.ends_with(" GMT") && value.len() == 29, "{value}");
        value.clear();
    }
    // The server on a connection counts the body, where there is one.
    headers.retain(|(name, _)| name != "connection" && (!has_body || name != "content-length"));
    headers.sort();
    headers
}

#[test]
fn the_answer_is_that_of_a_connection() {
    let registry = Registry::with(Options { operator_token: None, ..Options::ephemeral() });
    let registration = Issuer::new(7).registration("file").to_string();
    registry
        .send("POST", "/register", &[("content-type", "application/json")], registration.as_bytes())
        .accepts();
    let origin = ("origin", "http://localhost:8000");
    let asked: [Asked<'_>; 15] = [
        ("GET", "/health", &[], ""),
        ("GET", "/health", &[origin], ""),
        ("HEAD", "/health", &[], ""),
        ("OPTIONS", "/tlog/head", &[origin, ("access-control-request-method", "GET")], ""),
        ("GET", "/tlog/range?start=0&limit=5", &[], ""),
        ("GET", "/tlog/proof/0", &[], ""),
        ("GET", "/tlog/proof/99", &[], ""),
        ("GET", "/p/nobody.png", &[], ""),
        ("HEAD", "/p/nobody.png", &[], ""),
        ("GET", "/v/nobody", &[], ""),
        ("DELETE", "/register", &[], ""),
        ("GET", "/nowhere?a=%00", &[], ""),
        ("POST", "/register", &[("content-type", "application/json")], "{"),
        ("POST", "/register", &[("content-type", "text/plain")], "{}"),
        ("POST", "/attribute", &[("content-type", "application/json")], r#"{"token_id": "file-t1"}"#),
    ];
    for (method, target, fields, body) in asked {
        let here = direct(&registry, method, target, fields, body.as_bytes());
        let there = registry.send(method, target, fields, body.as_bytes());
        assert_eq!(here.status, there.status, "{method} {target}");
        let has_body = !there.body.is_empty();
        assert_eq!(headers(&here, has_body), headers(&there, has_body), "{method} {target}");
        assert_eq!(
            String::from_utf8_lossy(&here.body),
            String::from_utf8_lossy(&there.body),
            "{method} {target}"
        );
    }
    registry.stop();
}
