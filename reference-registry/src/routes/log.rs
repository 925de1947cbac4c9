//! `/tlog/*`: head, proofs and leaves of the log.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use serde_json::{Value, json};

use crate::{
    app::{App, Shared},
    error::ApiError,
    head,
    merkle::Hash,
    query::{Decimal, Parameters},
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
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let limit = parameters.decimal("limit")?.map_or(DEFAULT_PAGE, |decimal| decimal.clamped(1, MAX_PAGE));
    let start = match parameters.decimal("start")? {
        None => 0,
        Some(Decimal::Of(start)) => start,
        Some(Decimal::Beyond) => return Err(ApiError::missing_field("start is beyond 64 bits")),
    };
    let page = app.read(move |app, snapshot| {
        let mut entries = Vec::new();
        snapshot.log.range(start, limit, |index, leaf_hash, leaf| {
            entries.push(Entry { index, leaf_hash: *leaf_hash, leaf: leaf.to_vec() });
        })?;
        Ok(served(app, &entries))
    });
    let entries = page.await?;
    Ok(Json(json!({"start": start, "count": entries.len(), "entries": entries})))
}

/// One leaf as a page has it.
struct Entry {
    index: u64,
    leaf_hash: Hash,
    leaf: Vec<u8>,
}

fn served(app: &App, entries: &[Entry]) -> Vec<Value> {
    let mut served: Vec<Value> = entries.iter().map(|entry| entry_object(app, entry, entries)).collect();
    if app.faults.on("range-entry-dropped") && !served.is_empty() {
        served.remove(served.len() / 2);
    }
    served
}

fn entry_object(app: &App, entry: &Entry, page: &[Entry]) -> Value {
    let is_first = page.first().is_some_and(|first| first.index == entry.index);
    let (mut leaf_hash, mut leaf) = (entry.leaf_hash, entry.leaf.clone());
    if is_first && app.faults.on("range-leaf-hash-wrong") {
        leaf_hash = leaf_hash.map(|byte| !byte);
    }
    if is_first && app.faults.on("range-leaf-data-replaced") {
        leaf = br#"{"event":"replaced"}"#.to_vec();
    }
    json!({
        "index": entry.index,
        "leaf_hash": hex::encode(leaf_hash),
        "leaf_data": String::from_utf8_lossy(&leaf),
        "leaf_data_hex": hex::encode(&leaf),
    })
}
