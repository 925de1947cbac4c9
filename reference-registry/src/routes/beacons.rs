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

pub(super) type Token = Result<Path<String>, PathRejection>;

/// A kind of beacon: what an event of it is called, where its token stands, and what is answered.
pub(super) trait Beacon: 'static {
    const KIND: &'static str;

    fn token(token: Token) -> Result<String, ApiError> {
        path_token(token)
    }

    fn answer(app: &App) -> Response;
}

pub(super) struct Pixel;

impl Beacon for Pixel {
    const KIND: &'static str = HTTP_IMG;

    fn token(token: Token) -> Result<String, ApiError> {
        image_token(token)
    }

    fn answer(_: &App) -> Response {
        ([(CONTENT_TYPE, "image/png")], PIXEL).into_response()
    }
}

pub(super) struct Status;

impl Beacon for Status {
    const KIND: &'static str = OCSP;

    fn answer(_: &App) -> Response {
        StatusCode::OK.into_response()
    }
}

pub(super) struct Redirect;

impl Beacon for Redirect {
    const KIND: &'static str = OCSP;

    /// To a page that leaves no trace of its own, under the name that serves it.
    fn answer(app: &App) -> Response {
        let host = app.hosts.registry.as_ref().map(|name| format!("https://{name}")).unwrap_or_default();
        let location = format!("{host}/.well-known/oversight-registry");
        (StatusCode::FOUND, [(LOCATION, location.as_str())]).into_response()
    }
}

pub(super) struct License;

impl Beacon for License {
    const KIND: &'static str = LICENSE;

    fn answer(_: &App) -> Response {
        Json(Valid { valid: True }).into_response()
    }
}

/// A marked copy was opened.
pub(super) async fn opened<B: Beacon>(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    token: Token,
) -> Result<Response, ApiError> {
    record(&app, client, &headers, B::token(token)?, B::KIND).await?;
    Ok(B::answer(&app))
}

/// HEAD: the same answer, and nothing is recorded.
pub(super) async fn unrecorded<B: Beacon>(
    State(app): State<Shared>,
    client: Client,
    token: Token,
) -> Result<Response, ApiError> {
    app.admit_trace(client)?;
    B::token(token)?;
    Ok(B::answer(&app))
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
