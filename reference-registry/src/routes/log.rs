//! `/tlog/*`: head, proofs and leaves of the log.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use serde_json::{Value, json};

use crate::{
    app::{App, Shared},
    canonical::Form,
    client::Client,
    error::ApiError,
    head,
    log::Log,
    query::{Decimal, Parameters},
    routes::json_text,
    text::Text,
};

/// Entries in a page where the client does not say, and at most.
const DEFAULT_PAGE: u64 = 500;
const MAX_PAGE: u64 = 1000;

pub(super) async fn head(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    if app.faults.are_off() {
        return head::honest(&app, &*app.store.head()?).map(Json);
    }
    app.read(|app, snapshot| head::signed(app, &snapshot.log)).await.map(Json)
}

pub(super) async fn proof(
    State(app): State<Shared>,
    index: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, ApiError> {
    let not_decimal = || ApiError::missing_field("index is not a non-negative decimal integer");
    let Path(text) = index.map_err(|_| not_decimal())?;
    let index = Decimal::parse(&text).ok_or_else(not_decimal)?.clamped(0, u64::MAX);
    let proof = app.read(move |app, snapshot| head::inclusion(app, &snapshot.log, index)).await?;
    proof.map(Json).ok_or_else(|| ApiError::not_found("index is beyond the end of the log"))
}

/// `?first=M&second=N`: that the log of M leaves is the beginning of the log of N.
pub(super) async fn consistency(
    State(app): State<Shared>,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let size = |name: &'static str| match parameters.decimal(name)? {
        Some(Decimal::Of(size)) => Ok(size),
        Some(Decimal::Beyond) => Err(ApiError::missing_field(format!("{name} is beyond 64 bits"))),
        None => Err(ApiError::missing_field(format!("{name} is missing"))),
    };
    let (first, second) = (size("first")?, size("second")?);
    if first == 0 || first > second {
        return Err(ApiError::missing_field("first is not between 1 and second"));
    }
    let proof = app.read(move |_, snapshot| head::consistency(&snapshot.log, first, second)).await?;
    proof.map(Json).ok_or_else(|| ApiError::not_found("second is beyond the end of the log"))
}

pub(super) async fn range(
    State(app): State<Shared>,
    client: Client,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let limit = parameters.decimal("limit")?.map_or(DEFAULT_PAGE, |decimal| decimal.clamped(1, MAX_PAGE));
    let start = match parameters.decimal("start")? {
        None => 0,
        Some(Decimal::Of(start)) => start,
        Some(Decimal::Beyond) => return Err(ApiError::missing_field("start is beyond 64 bits")),
    };
    let text = Text::within(Form::Jcs, app.room.claim(client));
    app.read(move |app, snapshot| page(app, &snapshot.log, start, limit, text)).await.map(json_text)
}

fn page(app: &App, log: &Log<'_>, start: u64, limit: u64, mut text: Text) -> Result<String, ApiError> {
    /// About what an entry takes.
    const ENTRY: u64 = 1200;
    let room = limit.min(log.size()).saturating_mul(ENTRY);
    text.reserve(usize::try_from(room).unwrap_or_default());
    let (mut count, mut has_room) = (0_u64, Ok(()));
    text.raw("{\"start\":");
    text.integer(start);
    text.raw(",\"entries\":[");
    log.range(start, limit, |index, leaf_hash, leaf| {
        if has_room.is_err() {
            return;
        }
        text.next();
        text.raw("{\"index\":");
        text.integer(index);
        text.raw(",\"leaf_hash\":");
        text.hex(leaf_hash);
        text.raw(",\"leaf_data\":");
        text.utf8(leaf);
        text.raw(",\"leaf_data_hex\":");
        text.hex(leaf);
        text.raw("}");
        has_room = text.has_room();
        count += 1;
    })?;
    has_room?;
    text.raw("],\"count\":");
    text.integer(count);
    text.raw("}");
    match app.faults.are_off() {
        true => Ok(text.into_string()),
        false => misled(app, text.as_str()),
    }
}

/// The page of a registry that is not honest: the honest one, changed as the faults ask for.
fn misled(app: &App, honest: &str) -> Result<String, ApiError> {
    let mut page: Value = serde_json::from_str(honest).map_err(|_| ApiError::server_error())?;
    let mut entries = page.get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(first) = entries.first_mut() {
        if app.faults.on("range-leaf-hash-wrong") {
            let hash = first.get("leaf_hash").and_then(Value::as_str).and_then(|hash| hex::decode(hash).ok());
            let wrong: Vec<u8> = hash.unwrap_or_default().iter().map(|byte| !byte).collect();
            set(first, "leaf_hash", json!(hex::encode(wrong)));
        }
        if app.faults.on("range-leaf-data-replaced") {
            let leaf = r#"{"event":"replaced"}"#;
            set(first, "leaf_data", json!(leaf));
            set(first, "leaf_data_hex", json!(hex::encode(leaf)));
        }
    }
    if !entries.is_empty() && app.faults.on("range-entry-dropped") {
        entries.remove(entries.len() / 2);
    }
    set(&mut page, "count", json!(entries.len()));
    set(&mut page, "entries", json!(entries));
    Ok(page.to_string())
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(String::from(name), value);
    }
}
