//! The transcript as HAR 1.2, for tools that people have already.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::transcript::{Answer, Outcome, Recorded, Sent, Transcript};

/// The transcript as a HAR 1.2 document, with a newline at its end. What was not sent has no entry; what was not
/// answered has one with status 0, as browsers write it. It follows from the transcript whatever version wrote it: another
/// layout of it would be another form of the archive.
#[must_use]
pub fn har(transcript: &Transcript) -> String {
    let manifest = &transcript.manifest;
    let started = manifest.clock.started_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let entries: Vec<Json> = transcript
        .exchanges
        .iter()
        .filter_map(|recorded| entry(recorded, &manifest.target, started))
        .collect();
    let log = json!({
        "version": "1.2",
        "creator": {"name": manifest.tool.name, "version": manifest.tool.version},
        "entries": entries,
        "comment": assayer_reports::PROVENANCE,
    });
    let mut text = serde_json::to_string_pretty(&json!({ "log": log })).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(recorded: &Recorded, target: &str, started: Timestamp) -> Option<Json> {
    let (sent, response, elapsed) = match &recorded.outcome {
        Outcome::Answered { request, answer } => (request, response(answer), answer.elapsed_ms),
        Outcome::Failed { request, message, .. } => (request, no_response(message), 0),
        Outcome::NotSent { .. } => return None,
    };
    let after = SignedDuration::from_millis(i64::try_from(recorded.at_ms).unwrap_or(i64::MAX));
    let at = started.saturating_add(after).unwrap_or(Timestamp::MAX);
    Some(json!({
        "startedDateTime": at.to_string(),
        "time": elapsed,
        "request": request(sent, target),
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": elapsed, "receive": 0},
        "comment": format!("line {} of transcript.ndjson: {}", recorded.n, recorded.exchange),
    }))
}

fn request(sent: &Sent, target: &str) -> Json {
    let base =
        if target.contains("://") { target.trim_end_matches('/') } else { "http://in-process.invalid" };
    let query = sent.target.split_once('?').map_or("", |(_, query)| query);
    let mut request = json!({
        "method": sent.method,
        "url": format!("{base}{}", sent.target),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&sent.headers),
        "queryString": query_string(query),
        "headersSize": -1,
        "bodySize": sent.bytes().map_or(0, |bytes| bytes.len()),
    });
    if let (Some(body), Some(members)) = (sent.bytes(), request.as_object_mut()) {
        let media = value_of(&sent.headers, "content-type").unwrap_or("application/octet-stream");
        let (text, comment) = match &sent.body_text {
            Some(text) => (text.clone(), "the body"),
            None => (hex::encode(body), "the body in hexadecimal: it is not UTF-8"),
        };
        members.insert(
            "postData".to_owned(),
            json!({"mimeType": media, "text": text, "params": [], "comment": comment}),
        );
    }
    request
}

fn response(answer: &Answer) -> Json {
    let body = answer.body();
    let media = answer.header("content-type").unwrap_or("application/octet-stream");
    let content = match &answer.body_text {
        Some(text) => json!({"size": body.len(), "mimeType": media, "text": text}),
        None => json!({"size": body.len(), "mimeType": media, "text": base64(&body), "encoding": "base64"}),
    };
    json!({
        "status": answer.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(&answer.headers),
        "content": content,
        "redirectURL": answer.header("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": -1,
    })
}

fn no_response(message: &str) -> Json {
    json!({
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "comment": message,
    })
}

fn headers(fields: &[(String, String)]) -> Vec<Json> {
    fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn value_of<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn query_string(query: &str) -> Vec<Json> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({"name": decoded(name), "value": decoded(value)})
        })
        .collect()
}

/// Base64 with padding (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(bytes)
}
