//! `GET /evidence/{file_id}`

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use serde_json::Value;

use crate::{app::Shared, body::identifier, error::ApiError, evidence};

pub(super) async fn bundle(
    State(app): State<Shared>,
    file_id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, ApiError> {
    let Path(file_id) = file_id.map_err(|_| ApiError::missing_field("file_id is not UTF-8"))?;
    identifier(&file_id, "file_id")?;
    app.read(move |app, snapshot| evidence::bundle(app, snapshot, &file_id)).await.map(Json)
}
