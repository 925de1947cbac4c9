//! Everything that answers on the public listener: the routes, and what stands around them.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};

use crate::{
    app::Shared,
    error::{self, ApiError},
    gate::{Gate, gate, reads},
    observe::observe,
    options::Origin,
    room, routes,
};

/// Pages that may read this registry from a browser.
const ORIGINS: [&str; 7] = [
    "https://oversight-protocol.github.io",
    "https://oversightprotocol.dev",
    "https://www.oversightprotocol.dev",
    "http://localhost:8000",
    "http://127.0.0.1:8000",
    "http://localhost:8787",
    "http://127.0.0.1:8787",
];

pub(crate) fn router(app: Shared, origins: &[Origin]) -> Router {
    let (read_only, recording) = (routes::read_only(app.dialect), routes::recording(app.dialect));
    let gate = Gate::new(Arc::clone(&app), &routes::all(app.dialect));
    let read_only = routes::router(read_only).layer(from_fn_with_state(Arc::clone(&app), reads));
    finished(read_only, routes::router(recording), origins, gate, app)
}

/// Panics are caught inside CORS, so that a page may read that refusal too.
fn finished(
    read_only: Router<Shared>,
    recording: Router<Shared>,
    origins: &[Origin],
    gated: Arc<Gate>,
    app: Shared,
) -> Router {
    let keeps = || from_fn_with_state(Arc::clone(&app), room::keeps);
    let read_only = read_only.layer(keeps()).layer(catch_panics()).layer(cors(origins));
    read_only
        .merge(recording.layer(keeps()).layer(catch_panics()))
        .fallback(routes::not_found)
        .layer(from_fn_with_state(gated, gate))
        .layer(from_fn_with_state(Arc::clone(&app), error::envelope))
        .layer(from_fn_with_state(Arc::clone(&app), observe))
        .with_state(app)
}

type PanicAnswer = fn(Box<dyn Any + Send>) -> Response;

fn catch_panics() -> CatchPanicLayer<PanicAnswer> {
    CatchPanicLayer::custom((|_| ApiError::server_error().into_response()) as PanicAnswer)
}

fn cors(origins: &[Origin]) -> CorsLayer {
    let own = origins.iter().map(Origin::value);
    CorsLayer::new()
        .allow_origin(ORIGINS.map(HeaderValue::from_static).into_iter().chain(own).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::OPTIONS])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE])
        .vary([header::ORIGIN])
        .max_age(Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use std::net::SocketAddr;

    use axum::{extract::State, routing::get};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{endpoint::Endpoint, options::Options, server};

    async fn panics() {
        panic!("in /some/file.rs");
    }

    async fn panics_with_the_store(State(app): State<Shared>) -> Result<(), ApiError> {
        app.read(|_, _| panic!("in SQL")).await
    }

    fn asked(address: SocketAddr, target: &str) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let origin = ORIGINS[0];
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn panics_are_enveloped_and_readable_across_origins() {
        let app = Arc::new(server::app(Options::ephemeral()).unwrap());
        let breaking = Router::new().route("/panic", get(panics)).route("/store", get(panics_with_the_store));
        let router =
            finished(breaking, Router::new(), &[], Gate::new(Arc::clone(&app), &[]), Arc::clone(&app));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
        });
        let targets = ["/panic", "/store"];
        let answers = tokio::task::spawn_blocking(move || targets.map(|target| asked(address, target))).await;
        for answer in answers.unwrap() {
            assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
            assert!(answer.contains(&format!("access-control-allow-origin: {}", ORIGINS[0])), "{answer}");
            assert!(answer.contains(r#"{"error":{"code":"server_error","message":"#), "{answer}");
            assert!(!answer.contains(".rs") && !answer.contains("SQL"), "{answer}");
        }
        assert!(app.read(|_, _| Ok(())).await.is_ok(), "a reader that panicked leaves nothing behind");
        let panicked = app.write(|_, _| -> Result<(), ApiError> { panic!("in SQL") }).await;
        assert!(panicked.is_err());
        assert!(app.write(|_, _| Ok(())).await.is_err(), "a writer that panicked is not used again");
    }

    /// Every route of the router, as its debug output names it: whoever adds one beside the table is found here.
    #[test]
    fn the_router_has_the_routes_of_the_table_and_no_others() {
        for dialect in crate::Dialect::ALL {
            let options = Options { dialect, ..Options::ephemeral() };
            let app = Arc::new(server::app(options).unwrap());
            let text = format!("{:?}", router(app, &[]));
            let mut found: Vec<&str> = text.split('"').filter(|part| part.starts_with('/')).collect();
            found.sort_unstable();
            found.dedup();
            // The two that axum adds for a fallback.
            let mut expected = vec!["/", "/{*__private__axum_fallback}"];
            expected.extend(routes::all(dialect).iter().map(Endpoint::route));
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}
