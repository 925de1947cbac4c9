//! Starting and stopping.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    admin,
    app::{App, Shared},
    attestation::Attestor,
    connections,
    dialect::Dialect,
    direct::Direct,
    faults::{Faults, UnknownFault},
    identity::{Identity, IdentityError},
    metrics::Metrics,
    openapi::Settings,
    options::{Access, DataLocation, LostIdentity, Options, RateLimit, Secret},
    rate_limit::Limiter,
    room::Room,
    store::{Store, StoreError},
    surface,
};

/// What no date of four digits reaches.
const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

/// How long a stopping server waits for requests under way.
const PATIENCE: Duration = Duration::from_secs(2);

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
    /// The admin listener tells everything to whoever asks.
    #[error("expected a loopback address for the admin listener, found {address}")]
    PublicAdmin {
        /// Address asked for.
        address: SocketAddr,
    },
    /// Anybody could write.
    #[error(
        "others than programs on this machine can call the registry at {address} (it listens beyond loopback, or a trusted proxy or a host name is set), and there is no operator token: set OVERSIGHT_OPERATOR_TOKEN, or OVERSIGHT_AUTH_DISABLED=1 if anybody may write"
    )]
    PublicWithoutToken {
        /// Address asked for.
        address: SocketAddr,
    },
    /// No header field can carry it.
    #[error("expected a secret of visible ASCII characters without spaces, found others in it")]
    UnsendableSecret,
    /// The data directory cannot be created.
    #[error("cannot create the data directory")]
    Directory(#[source] io::Error),
    /// A secret of no characters protects nothing.
    #[error("expected a secret, found an empty text")]
    EmptySecret,
    /// HTTP has no date for it, and leaves no time.
    #[error("expected a clock between 1970 and 9999, found another: set the clock")]
    Clock,
    /// A new key would sign a log whose heads another one has signed.
    #[error(
        "expected the identity of this log of {size} leaves in {}, found no such file: put it there, or have reference-registry --new-identity sign with a new key, under which nothing that was signed before verifies", path.display()
    )]
    LostIdentity {
        /// Where the file should be.
        path: PathBuf,
        /// Leaves in the log.
        size: u64,
    },
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
    admin: Option<SocketAddr>,
    app: Shared,
    direct: Direct,
    stop: watch::Sender<()>,
    servers: Vec<JoinHandle<()>>,
}

impl Running {
    /// The address it listens on, with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin listener, where there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What asks it without a connection.
    #[must_use]
    pub fn direct(&self) -> Direct {
        self.direct.clone()
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
        let Self { app, stop, servers, .. } = self;
        drop(stop);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        for mut server in servers {
            if tokio::time::timeout_at(deadline, &mut server).await.is_err() {
                server.abort();
            }
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
    #[cfg(feature = "failpoints")]
    crate::failpoint::from_environment();
    is_guarded(&options)?;
    is_clock_set(SystemTime::now())?;
    let settings = Settings::of(&options);
    let listener = listener(options.bind).await?;
    let admin_listener = match options.admin {
        Some(address) => Some(listener_of_admin(address).await?),
        None => None,
    };
    let address = local_address(&listener, options.bind)?;
    let origins = options.cors_origins.clone();
    let app = Arc::new(app(options)?);
    let (stop, stopped) = watch::channel(());
    let router = surface::router(Arc::clone(&app), &origins);
    let direct = Direct::new(router.clone(), address);
    let mut running =
        Running { address, admin: None, app: Arc::clone(&app), direct, stop, servers: Vec::new() };
    running.servers.push(tokio::spawn(connections::serve(listener, router, stopped.clone())));
    if let Some(listener) = admin_listener {
        running.admin = Some(local_address(&listener, address)?);
        running.servers.push(tokio::spawn(connections::serve(
            listener,
            admin::router(app, settings),
            stopped,
        )));
    }
    Ok(running)
}

/// A registry that others can reach is not left open by mistake.
fn is_guarded(options: &Options) -> Result<(), StartError> {
    let is_open = options.operator_token.is_none() && options.access == Access::Guarded;
    match options.is_public() && is_open {
        true => Err(StartError::PublicWithoutToken { address: options.bind }),
        false => Ok(()),
    }
}

fn is_clock_set(now: SystemTime) -> Result<(), StartError> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| StartError::Clock)?;
    if since < YEAR_10000 { Ok(()) } else { Err(StartError::Clock) }
}

async fn listener(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })
}

async fn listener_of_admin(address: SocketAddr) -> Result<TcpListener, StartError> {
    match address.ip().to_canonical().is_loopback() {
        true => listener(address).await,
        false => Err(StartError::PublicAdmin { address }),
    }
}

fn local_address(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Bind { address, source })
}

pub(crate) fn app(options: Options) -> Result<App, StartError> {
    let faults = Faults::new(options.faults, options.meddler)?;
    let (identity, store) = open(options.data, options.dialect, options.lost_identity)?;
    Ok(App {
        dialect: options.dialect,
        identity,
        impostor: Identity::ephemeral()?,
        faults,
        operator_token: checked(options.operator_token)?,
        dns_event_secret: checked(options.dns_event_secret)?,
        attestor: options.transparency_log.as_ref().map(|log| Arc::new(Attestor::new(log))),
        jurisdiction: options.jurisdiction,
        hosts: options.hosts,
        trusted_proxies: options.trusted_proxies,
        timeouts: options.timeouts,
        metrics: Metrics::new(),
        limiter: RwLock::new(options.rate_limit.map(Limiter::new)),
        read_limiter: options.read_limit.map(Limiter::new),
        room: Room::new(options.memory),
        store,
    })
}

fn open(
    data: DataLocation,
    dialect: Dialect,
    lost: LostIdentity,
) -> Result<(Identity, Arc<Store>), StartError> {
    let (db, data_dir) = match data {
        DataLocation::Temporary => return Ok((Identity::ephemeral()?, Store::in_memory(dialect.form())?)),
        DataLocation::Directory(directory) => (directory.join("registry.sqlite"), directory),
        DataLocation::Files { db, data_dir } => (db, data_dir),
    };
    create_directory(&data_dir)?;
    db.parent().map_or(Ok(()), create_directory)?;
    // The database first: it refuses a second registry on the same data before anything is created for it.
    let store = Store::open(&db, dialect.form())?;
    let path = identity_path(&data_dir);
    let size = store.size();
    match path.try_exists() {
        Ok(false) if size > 0 && lost == LostIdentity::Refused => {
            Err(StartError::LostIdentity { path, size })
        }
        _ => Ok((Identity::load_or_create(&path)?, store)),
    }
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
        Some(secret) if !secret.is_sendable() => Err(StartError::UnsendableSecret),
        secret => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_http_has_no_date_for_is_refused() {
        let (epoch, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
        for good in [epoch, epoch + YEAR_10000 - second] {
            assert!(is_clock_set(good).is_ok(), "{good:?}");
        }
        for bad in [epoch - second, epoch + YEAR_10000] {
            assert!(matches!(is_clock_set(bad), Err(StartError::Clock)), "{bad:?}");
        }
    }
}
