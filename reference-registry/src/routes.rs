//! The routes, one module for each resource.

mod attribute;
mod beacons;
mod candidates;
mod dns_event;
mod evidence;
mod log;
mod register;
pub(crate) mod service;

use axum::{
    Router,
    extract::{Request, State},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use crate::{
    api,
    app::Shared,
    body::swallow,
    dialect::Dialect,
    endpoint::{Answer, Endpoint, Operation, Parameter, SecretOf},
    error::{ApiError, Code},
    hosts::Family,
    routes::beacons::{License, Pixel, Redirect, Status},
};

/// What any browser page on the approved origins may read.
pub(crate) fn read_only(dialect: Dialect) -> Vec<Endpoint> {
    let at = |path| Endpoint::new(Family::Registry, path);
    let mut endpoints = vec![
        at(dialect.health_path()).get(service::health, health()),
        at("/.well-known/oversight-registry").get(service::well_known, well_known()),
        at("/evidence/{file_id}").get(evidence::bundle, evidence_bundle()),
        at("/tlog/head").get(log::head, tlog_head()),
        at("/tlog/proof/{index}").get(log::proof, tlog_proof()),
        at("/tlog/range").get(log::range, tlog_range()),
        at("/candidates/semantic").get(candidates::semantic, semantic_candidates()),
    ];
    if dialect == Dialect::Announced {
        endpoints.push(at("/tlog/proof").get(log::consistency, tlog_consistency()));
    }
    endpoints
}

/// What leaves a trace, and `/attribute`, which no page may ask. HEAD has handlers of its own, because axum would otherwise run
/// those of GET.
pub(crate) fn recording(dialect: Dialect) -> Vec<Endpoint> {
    let registry = |path| Endpoint::new(Family::Registry, path);
    let redirect = Endpoint::new(Family::Ocsp, "/r/{token}");
    let license = |path, id| {
        Endpoint::new(Family::License, path)
            .get(beacons::opened::<License>, beacon(id, Answer::json::<api::Valid>()))
            .head(beacons::unrecorded::<License>)
    };
    vec![
        registry("/register").post(register::register, registration()),
        registry("/attribute").post(attribute::attribute, attribution()),
        registry("/dns_event").post(dns_event::dns_event, dns_report()),
        Endpoint::new(Family::Beacon, "/p/{token}.png")
            .get(beacons::opened::<Pixel>, beacon("beacon-image", Answer::Image).refuses([Code::NotFound]))
            .head(beacons::unrecorded::<Pixel>),
        match dialect {
            Dialect::Candidate => status(redirect, "beacon-redirect", "beacon-redirect-post"),
            Dialect::Announced => redirect
                .get(beacons::opened::<Redirect>, beacon("beacon-redirect", Answer::Redirect))
                .head(beacons::unrecorded::<Redirect>),
        },
        status(Endpoint::new(Family::Ocsp, "/ocsp/r/{token}"), "beacon-ocsp", "beacon-ocsp-post"),
        license("/v/{token}", "beacon-valid"),
        license("/lic/v/{token}", "beacon-license"),
    ]
}

/// All endpoints of a dialect.
pub(crate) fn all(dialect: Dialect) -> Vec<Endpoint> {
    read_only(dialect).into_iter().chain(recording(dialect)).collect()
}

/// The routes of these endpoints, and no others.
pub(crate) fn router(endpoints: Vec<Endpoint>) -> Router<Shared> {
    let routes = endpoints.into_iter().map(Endpoint::into_route);
    routes
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .method_not_allowed_fallback(method_not_allowed)
}

/// An answer whose JSON text is written already.
fn json_text(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

pub(crate) async fn not_found(State(app): State<Shared>, request: Request) -> ApiError {
    let (parts, body) = request.into_parts();
    swallow(&parts.headers, body, &app).await;
    ApiError::no_such_endpoint()
}

async fn method_not_allowed(State(app): State<Shared>, request: Request) -> ApiError {
    let (parts, body) = request.into_parts();
    swallow(&parts.headers, body, &app).await;
    ApiError::no_such_method()
}

fn status(endpoint: Endpoint, get: &'static str, post: &'static str) -> Endpoint {
    endpoint
        .get(beacons::opened::<Status>, beacon(get, Answer::Empty))
        .post(beacons::opened::<Status>, beacon(post, Answer::Empty))
        .head(beacons::unrecorded::<Status>)
}

fn health() -> Operation {
    let summary = "Whether the registry answers, and how long its log is";
    Operation::new("health", summary, Answer::json::<api::Health>())
}

fn well_known() -> Operation {
    let summary = "Who this registry is: its key, its suites, its log";
    Operation::new("well-known", summary, Answer::json::<api::WellKnown>())
}

fn evidence_bundle() -> Operation {
    let summary = "Everything that the registry has about one file, of one moment and signed";
    let file_id = Parameter::identifier("file_id", "Identifier of the file", api::example::FILE_ID);
    Operation::new("evidence", summary, Answer::json::<api::Bundle>())
        .takes([file_id])
        .refuses([Code::NotFound, Code::IdentifierTooLong])
}

fn tlog_head() -> Operation {
    Operation::new("tlog-head", "The signed head of the log", Answer::json::<api::Head>())
}

fn tlog_proof() -> Operation {
    let summary = "That a leaf is in the log as it is now (RFC 9162, section 2.1.3)";
    Operation::new("tlog-proof", summary, Answer::json::<api::InclusionProof>())
        .takes([Parameter::index("index", "Index of the leaf")])
        .refuses([Code::NotFound])
}

fn tlog_range() -> Operation {
    let start = Parameter::decimal("start", "Index of the first leaf; 0 where absent", 0);
    let limit = Parameter::decimal("limit", "Most leaves; taken as between 1 and 1000, 500 where absent", 10);
    Operation::new("tlog-range", "Leaves of the log, in order", Answer::json::<api::Range>())
        .takes([start, limit])
}

fn tlog_consistency() -> Operation {
    let summary = "That the log of one size begins the log of another (RFC 9162, section 2.1.4)";
    let size = |name| Parameter::decimal(name, "A size of the log, from 1", 1).required();
    Operation::new("tlog-consistency", summary, Answer::json::<api::ConsistencyProof>())
        .takes([size("first"), size("second")])
        .refuses([Code::NotFound])
}

fn semantic_candidates() -> Operation {
    let limit =
        Parameter::decimal("limit", "Most marks; taken as between 1 and 10000, 1000 where absent", 10);
    let since = Parameter::decimal("since", "Earliest time of registration, in seconds since 1970", 0);
    let before =
        Parameter::text("before", "Where the page begins: `next` of the page before", "^[0-9]+-[0-9]+$");
    Operation::new(
        "candidates",
        "Marks in the layer L3_semantic, newest first",
        Answer::json::<api::Candidates>(),
    )
    .takes([limit, since, before])
}

fn registration() -> Operation {
    let codes =
        [Code::IdentifierTooLong, Code::IssuerMismatch, Code::SidecarMismatch, Code::SignatureInvalid];
    Operation::new(
        "register",
        "Registers a file that its issuer signed for",
        Answer::json::<api::Registered>(),
    )
    .reads::<api::Registration>()
    .asks(SecretOf::Operator)
    .refuses(codes)
}

fn attribution() -> Operation {
    Operation::new("attribute", "Whose copy this is", Answer::json::<api::Attributed>())
        .reads::<api::Question>()
        .asks(SecretOf::Operator)
        .refuses([Code::IdentifierTooLong, Code::NotFound])
}

fn dns_report() -> Operation {
    Operation::new("dns-event", "A name server saw a token resolved", Answer::json::<api::Logged>())
        .reads::<api::DnsEvent>()
        .asks(SecretOf::DnsReporter)
        .refuses([Code::IdentifierTooLong])
}

fn beacon(id: &'static str, answer: Answer) -> Operation {
    let token = Parameter::identifier("token", "Token of a beacon, known or not", api::example::TOKEN_ID);
    Operation::new(id, "A marked copy was opened", answer).takes([token]).refuses([Code::IdentifierTooLong])
}
