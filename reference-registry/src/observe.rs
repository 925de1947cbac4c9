//! One line of log and one count for each request. Of the request they have the route, not the path: that would name tokens and files.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use crate::{app::Shared, client::Client, metrics::Answered};

pub(crate) async fn observe(
    State(app): State<Shared>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let (started, in_flight) = (Instant::now(), app.metrics.begun());
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let (route, method) = (matched.unwrap_or("none").to_owned(), known(request.method()));
    let response = next.run(request).await;
    let (took, status) = (started.elapsed(), response.status().as_u16());
    let milliseconds = took.as_secs_f64() * 1e3;
    tracing::info!(method, route, status, milliseconds, client = %client.address, "answered");
    app.metrics.answered(Answered { route, method, status }, took);
    drop(in_flight);
    response
}

/// A method out of a closed list: a client may invent as many as it likes.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    }
}
