//! `GET /evidence/{file_id}`

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};

use crate::{app::Shared, body::identifier, client::Client, error::ApiError, evidence, routes::json_text};

pub(super) async fn bundle(
    State(app): State<Shared>,
    client: Client,
    file_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(file_id) = file_id.map_err(|_| ApiError::missing_field("file_id is not UTF-8"))?;
    identifier(&file_id, "file_id")?;
    let claim = app.room.claim(client);
    app.read(move |app, snapshot| evidence::bundle(app, snapshot, &file_id, claim)).await.map(json_text)
}
