//! Asking a registry of this process without a connection in between.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, header},
};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use tokio::runtime::Handle;
use tower_service::Service;

/// Asks a running registry as a client on a connection would, with everything that stands around its routes, and without the
/// connection: what bounds those (places, header sizes, idle times) is passed by.
#[derive(Clone, Debug)]
pub struct Direct {
    router: Router,
    address: SocketAddr,
    runtime: Handle,
}

impl Direct {
    /// For a registry at `address` that runs on this runtime.
    pub(crate) fn new(router: Router, address: SocketAddr) -> Self {
        Self { router, address, runtime: Handle::current() }
    }

    /// The answer to a request whose target is a path with or without a query: the header fields as they go on the wire, and the
    /// whole body. Waits for it on this thread, which must not be one of an async runtime.
    ///
    /// # Errors
    /// An answer whose body breaks off.
    pub fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, axum::Error> {
        let mut request = request.map(Body::from);
        if let Ok(host) = HeaderValue::try_from(self.address.to_string()) {
            request.headers_mut().entry(header::HOST).or_insert(host);
        }
        // The client is on this machine, as one on a connection to a loopback address is.
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))));
        let answered = self.router.clone().call(request);
        self.runtime.block_on(async {
            let (mut parts, body) = match answered.await {
                Ok(answer) => answer.into_parts(),
                Err(never) => match never {},
            };
            let body = to_bytes(body, usize::MAX).await?;
            if let Some(date) = date() {
                parts.headers.entry(header::DATE).or_insert(date);
            }
            Ok(Response::from_parts(parts, body.into()))
        })
    }
}

/// The time as servers state it (RFC 9110, section 6.6.1).
fn date() -> Option<HeaderValue> {
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()).ok()?;
    HeaderValue::try_from(text).ok()
}
