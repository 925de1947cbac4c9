//! `GET /candidates/semantic`

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    app::Shared,
    clock::Instant,
    error::ApiError,
    query::{Decimal, Parameters},
    rows::Place,
};

/// Marks in a page where the client does not say, and at most.
const DEFAULT_PAGE: u64 = 1000;
const MAX_PAGE: u64 = 10_000;

pub(super) async fn semantic(
    State(app): State<Shared>,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let limit = parameters.decimal("limit")?.map_or(DEFAULT_PAGE, |decimal| decimal.clamped(1, MAX_PAGE));
    let since = parameters.decimal("since")?.map_or(0, |decimal| decimal.clamped(0, u64::from(u32::MAX)));
    let before = parameters.text("before")?.map(place).transpose()?;
    let page = app.read(move |_, snapshot| snapshot.semantic_candidates(since, limit, before)).await?;
    let mut answer = json!({
        "generated_at": Instant::now().text(),
        "count": page.marks.len(),
        "candidates": page.marks,
    });
    if let (Some(next), Some(members)) = (page.next, answer.as_object_mut()) {
        members.insert(String::from("next"), json!(format!("{}-{}", next.registered_at, next.row)));
    }
    Ok(Json(answer))
}

/// A place as `next` of the page before spells it.
fn place(text: &str) -> Result<Place, ApiError> {
    let number = |text| match Decimal::parse(text) {
        Some(Decimal::Of(value)) => i64::try_from(value).ok(),
        _ => None,
    };
    let numbers = text.split_once('-').map(|(seconds, row)| (number(seconds), number(row)));
    match numbers {
        Some((Some(registered_at), Some(row))) => Ok(Place { registered_at, row }),
        _ => Err(ApiError::missing_field("before is not what a page had in next")),
    }
}
