//! What every request handler shares.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};

use crate::{
    dialect::Dialect,
    error::ApiError,
    faults::Faults,
    identity::Identity,
    options::{RateLimit, Secret},
    rate_limit::Limiter,
    rows::Snapshot,
    store::Store,
    writer::Pending,
};

pub(crate) type Shared = Arc<App>;

pub(crate) struct App {
    pub(crate) dialect: Dialect,
    pub(crate) identity: Identity,
    /// The key that faults sign with in place of the registry's.
    pub(crate) impostor: Identity,
    pub(crate) faults: Faults,
    pub(crate) operator_token: Option<Secret>,
    pub(crate) dns_event_secret: Option<Secret>,
    pub(crate) jurisdiction: String,
    pub(crate) limiter: RwLock<Option<Limiter>>,
    pub(crate) store: Arc<Store>,
}

impl App {
    /// The key that signs while the log has this many leaves.
    pub(crate) fn key(&self, size: u64) -> &Identity {
        /// Leaves after which `identity-changes` does.
        const CHANGES_AT: u64 = 3;
        if size >= CHANGES_AT && self.faults.on("identity-changes") { &self.impostor } else { &self.identity }
    }

    /// Runs work in the next transaction of the writer, and answers once that is on disk. What the work checks still holds
    /// when it writes.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &mut Pending<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = Arc::clone(self);
        self.store.write(move |pending| work(&app, pending)).await
    }

    /// Runs blocking work that sees rows and log as they are at one moment.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &Snapshot<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = Arc::clone(self);
        self.store.read(move |snapshot| work(&app, snapshot)).await
    }

    /// Closes the database, even if a client that never finished its request keeps this alive.
    pub(crate) fn close(&self) {
        self.store.close();
    }

    /// Counts a request of this client against the rate limit, where there is one.
    pub(crate) fn admit(&self, Peer(client): Peer) -> Result<(), ApiError> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        limiter.as_ref().map_or(Ok(()), |limiter| limiter.admit(client, Instant::now()))
    }

    /// From now on every client has this limit, and nothing of it is used up; `None` for no limit.
    pub(crate) fn limit(&self, limit: Option<RateLimit>) {
        *self.limiter.write().unwrap_or_else(PoisonError::into_inner) = limit.map(Limiter::new);
    }
}

/// Address of the TCP peer; an IPv4 address in IPv6 clothing is shown as IPv4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, state).await;
        peer.map(|ConnectInfo(address)| Self(address.ip().to_canonical()))
            .map_err(|_| ApiError::server_error())
    }
}
