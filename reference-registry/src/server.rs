//! Starting and stopping.

use std::{
    any::Any,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    middleware,
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};

use crate::{
    app::{App, Shared},
    dialect::Dialect,
    error::{self, ApiError},
    faults::{Faults, UnknownFault},
    identity::{Identity, IdentityError},
    options::{DataLocation, Options, RateLimit, Secret},
    rate_limit::Limiter,
    routes,
    store::{Store, StoreError},
};

/// How long a stopping server waits for requests under way.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// Why the registry did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// Address asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The data directory cannot be created.
    #[error("cannot create the data directory")]
    Directory(#[source] io::Error),
    /// A secret of no characters protects nothing.
    #[error("expected a secret, found an empty text")]
    EmptySecret,
    /// The identity cannot be loaded or created.
    #[error("cannot load the registry's identity")]
    Identity(#[from] IdentityError),
    /// The database cannot be opened, or the log in it is damaged.
    #[error("cannot open the registry's data")]
    Store(#[from] StoreError),
    /// There is no fault of this id.
    #[error("no fault has the id {id:?}")]
    UnknownFault {
        /// Id asked for.
        id: String,
    },
}

impl From<UnknownFault> for StartError {
    fn from(UnknownFault(id): UnknownFault) -> Self {
        Self::UnknownFault { id }
    }
}

/// A registry that is listening. Dropping it stops it too, without waiting.
pub struct Running {
    address: SocketAddr,
    app: Shared,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Running {
    /// The address it listens on, with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A handle with which the rate limit can be changed while requests are served.
    #[must_use]
    pub fn limit(&self) -> LimitHandle {
        LimitHandle(Arc::clone(&self.app))
    }

    /// Whether a fault that is on had an occasion to act.
    #[must_use]
    pub fn acted(&self) -> bool {
        self.app.faults.acted()
    }

    /// Lets requests under way finish, for two seconds at most, and closes the data.
    pub async fn stop(self) {
        let Self { app, stop, mut server, .. } = self;
        drop(stop);
        if tokio::time::timeout(PATIENCE, &mut server).await.is_err() {
            server.abort();
        }
        app.close();
    }
}

/// Changes the rate limit of a running registry.
#[derive(Clone)]
pub struct LimitHandle(Shared);

impl LimitHandle {
    /// From now on each client has this limit, none of it used up; `None` for no limit.
    pub fn set(&self, limit: Option<RateLimit>) {
        self.0.limit(limit);
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Starts a registry and returns once it accepts connections.
///
/// # Errors
///
/// Returns a [`StartError`] if the options are wrong, the address is taken, or identity or log are damaged.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let bind_error = |source| StartError::Bind { address: options.bind, source };
    let listener = TcpListener::bind(options.bind).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let app = Arc::new(app(options)?);
    let router = router(Arc::clone(&app));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let shutdown = async { drop(stopped.await) };
        drop(axum::serve(listener, service).with_graceful_shutdown(shutdown).await);
    });
    Ok(Running { address, app, stop, server })
}

fn app(options: Options) -> Result<App, StartError> {
    let faults = Faults::new(options.faults, options.meddler)?;
    let (identity, store) = open(options.data, options.dialect)?;
    Ok(App {
        dialect: options.dialect,
        identity,
        impostor: Identity::ephemeral()?,
        faults,
        operator_token: checked(options.operator_token)?,
        dns_event_secret: checked(options.dns_event_secret)?,
        jurisdiction: options.jurisdiction,
        limiter: RwLock::new(options.rate_limit.map(Limiter::new)),
        store,
    })
}

fn open(data: DataLocation, dialect: Dialect) -> Result<(Identity, Arc<Store>), StartError> {
    let (db, data_dir) = match data {
        DataLocation::Temporary => return Ok((Identity::ephemeral()?, Store::in_memory(dialect.form())?)),
        DataLocation::Directory(directory) => (directory.join("registry.sqlite"), directory),
        DataLocation::Files { db, data_dir } => (db, data_dir),
    };
    create_directory(&data_dir)?;
    db.parent().map_or(Ok(()), create_directory)?;
    // The database first: it refuses a second registry on the same data before anything is created for it.
    let store = Store::open(&db, dialect.form())?;
    Ok((Identity::load_or_create(&identity_path(&data_dir))?, store))
}

fn create_directory(directory: &Path) -> Result<(), StartError> {
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    fs_err::create_dir_all(directory).map_err(StartError::Directory)
}

fn identity_path(data_dir: &Path) -> PathBuf {
    data_dir.join("registry-identity.json")
}

fn checked(secret: Option<Secret>) -> Result<Option<Secret>, StartError> {
    match secret {
        Some(secret) if secret.is_empty() => Err(StartError::EmptySecret),
        secret => Ok(secret),
    }
}

fn router(app: Shared) -> Router {
    finished(routes::read_only(app.dialect), routes::recording(app.dialect), app)
}

/// Panics are caught inside CORS, so that a page may read that refusal too.
fn finished(read_only: Router<Shared>, recording: Router<Shared>, app: Shared) -> Router {
    let read_only = read_only.layer(catch_panics()).layer(cors());
    read_only
        .merge(recording.layer(catch_panics()))
        .fallback(routes::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), error::envelope))
        .with_state(app)
}

type PanicAnswer = fn(Box<dyn Any + Send>) -> Response;

fn catch_panics() -> CatchPanicLayer<PanicAnswer> {
    CatchPanicLayer::custom((|_| ApiError::server_error().into_response()) as PanicAnswer)
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(ORIGINS.map(HeaderValue::from_static))
        .allow_methods([Method::GET, Method::OPTIONS])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE])
        .vary([header::ORIGIN])
        .max_age(Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use axum::{extract::State, routing::get};

    use super::*;

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
        let app = Arc::new(app(Options::ephemeral()).unwrap());
        let breaking = Router::new().route("/panic", get(panics)).route("/store", get(panics_with_the_store));
        let router = finished(breaking, Router::new(), Arc::clone(&app));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
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
}
