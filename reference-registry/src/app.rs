//! What every request handler shares.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use ipnet::IpNet;

use crate::{
    attestation::Attestor,
    client::Client,
    dialect::Dialect,
    error::ApiError,
    faults::Faults,
    hosts::HostNames,
    identity::Identity,
    metrics::Metrics,
    options::{RateLimit, Secret, Timeouts},
    rate_limit::Limiter,
    room::Room,
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
    /// Where registrations are attested.
    pub(crate) attestor: Option<Arc<Attestor>>,
    pub(crate) jurisdiction: String,
    pub(crate) hosts: HostNames,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) timeouts: Timeouts,
    pub(crate) metrics: Metrics,
    /// Limits what leaves a trace.
    pub(crate) limiter: RwLock<Option<Limiter>>,
    /// Limits all the rest.
    pub(crate) read_limiter: Option<Limiter>,
    /// Memory for bodies and answers that are larger than usual.
    pub(crate) room: Arc<Room>,
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

    /// Counts a request that leaves a trace against the rate limit, where there is one.
    pub(crate) fn admit_trace(&self, client: Client) -> Result<(), ApiError> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        limiter.as_ref().map_or(Ok(()), |limiter| limiter.admit(client.bucket(), Instant::now()))
    }

    /// Counts a request that only reads against its rate limit, where there is one.
    pub(crate) fn admit_read(&self, client: Client) -> Result<(), ApiError> {
        let admitted = |limiter: &Limiter| limiter.admit(client.bucket(), Instant::now());
        self.read_limiter.as_ref().map_or(Ok(()), admitted)
    }

    /// Whether callers are expected to come through a proxy.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        !self.trusted_proxies.is_empty() || self.hosts.are_set()
    }

    /// From now on every client has this limit, and nothing of it is used up; `None` for no limit.
    pub(crate) fn limit(&self, limit: Option<RateLimit>) {
        *self.limiter.write().unwrap_or_else(PoisonError::into_inner) = limit.map(Limiter::new);
    }
}
