//! The beacons: what a marked copy fetches when it is opened. Known and unknown tokens get the same answer.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION, USER_AGENT},
    },
    response::{IntoResponse, Response},
};

use crate::{
    api::{True, Valid},
    app::{App, Shared},
    body::identifier,
    client::Client,
    error::ApiError,
    event::{Channel, Event},
};

const PIXEL: &[u8] = include_bytes!("pixel.png");

const HTTP_IMG: &str = "http_img";
const LICENSE: &str = "license";
const OCSP: &str = "ocsp";

type Token = Result<Path<String>, PathRejection>;

pub(super) async fn pixel(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    name: Token,
) -> Result<Response, ApiError> {
    record(&app, client, &headers, image_token(name)?, HTTP_IMG).await?;
    Ok(pixel_answer())
}

pub(super) async fn pixel_unrecorded(
    State(app): State<Shared>,
    client: Client,
    name: Token,
) -> Result<Response, ApiError> {
    app.admit_trace(client)?;
    image_token(name)?;
    Ok(pixel_answer())
}

pub(super) async fn status(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    token: Token,
) -> Result<Response, ApiError> {
    record(&app, client, &headers, path_token(token)?, OCSP).await?;
    Ok(status_answer())
}

pub(super) async fn status_unrecorded(
    State(app): State<Shared>,
    client: Client,
    token: Token,
) -> Result<Response, ApiError> {
    app.admit_trace(client)?;
    path_token(token)?;
    Ok(status_answer())
}

pub(super) async fn redirect(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    token: Token,
) -> Result<Response, ApiError> {
    record(&app, client, &headers, path_token(token)?, OCSP).await?;
    Ok(redirect_answer(&app))
}

pub(super) async fn redirect_unrecorded(
    State(app): State<Shared>,
    client: Client,
    token: Token,
) -> Result<Response, ApiError> {
    app.admit_trace(client)?;
    path_token(token)?;
    Ok(redirect_answer(&app))
}

pub(super) async fn license(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    token: Token,
) -> Result<Response, ApiError> {
    record(&app, client, &headers, path_token(token)?, LICENSE).await?;
    Ok(license_answer())
}

pub(super) async fn license_unrecorded(
    State(app): State<Shared>,
    client: Client,
    token: Token,
) -> Result<Response, ApiError> {
    app.admit_trace(client)?;
    path_token(token)?;
    Ok(license_answer())
}

fn pixel_answer() -> Response {
    ([(CONTENT_TYPE, "image/png")], PIXEL).into_response()
}

fn status_answer() -> Response {
    StatusCode::OK.into_response()
}

/// To a page that leaves no trace of its own, under the name that serves it.
fn redirect_answer(app: &App) -> Response {
    let host = app.hosts.registry.as_ref().map(|name| format!("https://{name}")).unwrap_or_default();
    let location = format!("{host}/.well-known/oversight-registry");
    (StatusCode::FOUND, [(LOCATION, location.as_str())]).into_response()
}

fn license_answer() -> Response {
    Json(Valid { valid: True }).into_response()
}

fn path_token(token: Token) -> Result<String, ApiError> {
    let Path(token) = token.map_err(|_| ApiError::missing_field("token is not UTF-8"))?;
    identifier(&token, "token")?;
    Ok(token)
}

/// The router cannot match a suffix within a segment, so `.png` is taken off here.
fn image_token(name: Token) -> Result<String, ApiError> {
    let Path(name) = name.map_err(|_| ApiError::missing_field("token is not UTF-8"))?;
    let token = name.strip_suffix(".png").ok_or_else(|| ApiError::not_found("no such endpoint"))?;
    identifier(token, "token").map(String::from)
}

async fn record(
    app: &Shared,
    client: Client,
    headers: &HeaderMap,
    token_id: String,
    kind: &'static str,
) -> Result<(), ApiError> {
    app.admit_trace(client)?;
    if app.faults.on("beacon-not-recorded") {
        return Ok(());
    }
    let channel = Channel::Web { kind: recorded_kind(app, kind), user_agent: user_agent(headers) };
    let event = Event { token_id, source_ip: Some(client.address.to_string()), channel };
    app.write(move |app, pending| event.record(pending, &app.faults)).await.map(|_| ())
}

fn recorded_kind(app: &App, kind: &'static str) -> &'static str {
    match app.faults.on("beacon-recorded-under-other-kind") {
        true if kind == OCSP => LICENSE,
        true => OCSP,
        false => kind,
    }
}

/// As UTF-8 where it is, else byte by byte as ISO 8859-1: no client is turned away for its name.
fn user_agent(headers: &HeaderMap) -> String {
    let bytes = headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), String::from)
}
