//! A registry of signed evidence that follows the Oversight registry specification, version 1.
//!
//! It has two jobs. As an honest registry it shows that the conformance suite can be passed. With a
//! [`Fault`] switched on it misbehaves in exactly one way, which shows that the suite notices.
//!
//! ```text
//! request ── observe ── envelope ── gate ── CORS ── routes::* ── writer (one thread, group commit) ── SQLite: rows, leaves,
//!                                                         └── readers (snapshots) ──────────────────── interior nodes
//! ```
//!
//! Canonical bytes come from `serde_json_canonicalizer` (RFC 8785), the tree is
//! its own (RFC 6962, tried against `ct-merkle`) and signatures from `ring` (RFC 8032). None of that is shared with the verifier, so that
//! a mistake in one cannot hide in the other.

mod admin;
mod api;
mod app;
mod attestation;
mod auth;
mod body;
mod canonical;
mod client;
mod clock;
mod connections;
mod dialect;
mod direct;
mod endpoint;
mod error;
mod event;
mod evidence;
mod failpoint;
mod faults;
mod gate;
mod head;
mod hosts;
mod identity;
mod issuer_signature;
mod log;
mod log_file;
mod lossless;
mod manifest;
mod merkle;
mod metrics;
mod migration;
mod observe;
mod openapi;
mod options;
mod published;
mod query;
mod rate_limit;
mod receipt;
mod registration;
mod regular_file;
mod room;
mod routes;
mod rows;
mod schema;
mod server;
mod sloppy;
mod store;
mod strict_json;
mod surface;
mod text;
mod untouched;
mod validation;
mod writer;

pub use dialect::Dialect;
pub use direct::Direct;
pub use failpoint::{Defect, Step};
pub use faults::{FAULTS, Fault, Meddler, Stage};
pub use hosts::{HostName, HostNameError, HostNames};
pub use identity::IdentityError;
pub use log::LogError;
pub use log_file::{LogFileError, export_log, import_log};
pub use migration::{Migration, MigrationError, migrate};
pub use openapi::openapi;
pub use options::{
    Access, DataLocation, LogUrl, LogUrlError, LostIdentity, Options, Origin, OriginError, RateLimit, Secret,
    Timeouts,
};
pub use server::{LimitHandle, Running, StartError, start};
pub use store::StoreError;
pub use untouched::Leftover;
pub use validation::{Class, Failure, Validation, validate};
