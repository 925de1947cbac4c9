//! `GET /candidates/semantic`

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{app::Shared, clock::Instant, error::ApiError, query::Parameters};

pub(super) async fn semantic(
    State(app): State<Shared>,
    parameters: Parameters,
) -> Result<Json<Value>, ApiError> {
    let bounded = |name, default, low, high| -> Result<i64, ApiError> {
        let value = parameters.decimal(name)?.map_or(default, |decimal| decimal.clamped(low, high));
        i64::try_from(value).map_err(|_| ApiError::server_error())
    };
    let limit = bounded("limit", 1000, 1, 10_000)?;
    let since = bounded("since", 0, 0, u64::from(u32::MAX))?;
    let candidates = app.read(move |_, snapshot| snapshot.semantic_candidates(since, limit)).await?;
    Ok(Json(
        json!({"generated_at": Instant::now().text(), "count": candidates.len(), "candidates": candidates}),
    ))
}
