//! What is checked: the reference registry in this process, or a registry at a URL.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use assayer_reference_registry as registry;
use assayer_vectors::{Rule, Setup, Suite, Wire};

use crate::job::UnknownName;
use crate::names::random_hex;
use crate::rewrite::{Proxy, ProxyError, Reply, Request, Rewriting, Upstream};
use crate::secrets::Secrets;

/// Why the reference registry could not be started in this process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The reference registry does not speak the dialect.
    #[error("expected a dialect of the reference registry, {}, found `{found}`", registry::Dialect::ALL.map(registry::Dialect::as_str).join(" or "))]
    Dialect {
        /// Name of the wire profile.
        found: String,
    },
    /// The rewriting layer did not start.
    #[error("the rewriting layer did not start: {0}")]
    Proxy(#[from] ProxyError),
    /// The registry did not start.
    #[error("the reference registry did not start: {0}")]
    Start(#[from] registry::StartError),
    /// No threads to run it on.
    #[error("the reference registry has no threads to run on: {0}")]
    Runtime(#[from] std::io::Error),
    /// No random secrets.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// How a registry differs from an honest one of the usual setup.
#[derive(Clone, Debug, Default)]
pub struct Misbehaviour {
    /// Switches of the reference registry.
    pub switches: BTreeSet<String>,
    /// Rules of the rewriting layer.
    pub rules: Vec<Rule>,
    /// How it is set up.
    pub setup: Setup,
}

impl Misbehaviour {
    /// The faults and variants of these names, together.
    ///
    /// # Errors
    /// [`UnknownName`] for a name that the suite does not have.
    pub fn named<'n>(
        suite: &Suite,
        names: impl IntoIterator<Item = &'n String>,
    ) -> Result<Self, UnknownName> {
        let mut all = Self::default();
        for name in names {
            let rules = suite.rules_of(name).ok_or_else(|| unknown_fault(suite, name))?;
            let variant = suite.variants.iter().find(|variant| variant.id == *name);
            if rules.is_empty() && variant.is_none() {
                all.switches.insert(name.clone());
            }
            all.rules.extend_from_slice(rules);
            if let Some(variant) = variant {
                all.setup.clone_from(&variant.setup);
            }
        }
        Ok(all)
    }
}

fn unknown_fault(suite: &Suite, name: &str) -> UnknownName {
    let known: Vec<&str> = suite.faults.iter().map(|fault| fault.id.as_str()).collect();
    UnknownName { what: "fault", found: name.to_owned(), known: known.join(", ") }
}

/// The rules of a misbehaviour, before a registry has been started: in part they act inside of it, in part in front of it.
pub struct Layer {
    rewriting: Option<Arc<Rewriting>>,
    is_on_the_wire: bool,
}

impl Layer {
    /// The rules of a misbehaviour.
    #[must_use]
    pub fn of(misbehaviour: &Misbehaviour, wire: &Wire) -> Self {
        let rules = &misbehaviour.rules;
        let is_on_the_wire = rules.iter().any(|rule| !rule.at.is_inside());
        Self { rewriting: (!rules.is_empty()).then(|| Arc::new(Rewriting::new(rules, wire))), is_on_the_wire }
    }

    /// Whether a server has to stand in front of the registry.
    #[must_use]
    pub fn is_on_the_wire(&self) -> bool {
        self.is_on_the_wire
    }

    /// What acts inside of the registry.
    #[must_use]
    pub fn meddler(&self) -> Option<Arc<dyn registry::Meddler>> {
        self.rewriting.clone().map(|rewriting| rewriting as Arc<dyn registry::Meddler>)
    }

    /// What stands in front of a registry, listening on `address`; `None` where nothing has to.
    ///
    /// # Errors
    /// [`ProxyError`] where it cannot listen.
    pub fn in_front_of(
        &self,
        running: &registry::Running,
        address: SocketAddr,
    ) -> Result<Option<Proxy>, ProxyError> {
        let on_the_wire = self.rewriting.clone().filter(|_| self.is_on_the_wire);
        let upstream = || Upstream::Here(running.direct());
        on_the_wire.map(|rewriting| Proxy::with(rewriting, upstream(), address)).transpose()
    }

    fn acted(&self) -> bool {
        self.rewriting.as_ref().is_some_and(|rewriting| rewriting.acted())
    }
}

/// A registry that runs in this process until it is dropped.
pub struct InProcess {
    secrets: Secrets,
    // Dropped in this order: who asks the registry goes first.
    _writer: Option<Writer>,
    proxy: Option<Proxy>,
    reference: Option<Reference>,
    layer: Layer,
}

impl InProcess {
    /// Starts the reference registry on an ephemeral loopback port with a fresh temporary database and fresh secrets, and
    /// where it shall misbehave on the wire, the rewriting layer in front of it.
    ///
    /// # Errors
    /// [`TargetError`], also for a switch that the registry does not know.
    pub fn start(misbehaviour: &Misbehaviour, wire: &Wire) -> Result<Self, TargetError> {
        let setup = &misbehaviour.setup;
        let unless = |absent: bool| if absent { Ok(None) } else { secret().map(Some) };
        let secrets = Secrets {
            operator_token: unless(setup.without_operator_token)?,
            dns_event_secret: unless(setup.without_dns_event_secret)?,
        };
        let layer = Layer::of(misbehaviour, wire);
        let dialect = registry::Dialect::named(&wire.wire);
        let options = registry::Options {
            dialect: dialect.ok_or_else(|| TargetError::Dialect { found: wire.wire.clone() })?,
            operator_token: secrets.operator_token.clone().map(registry::Secret::new),
            dns_event_secret: secrets.dns_event_secret.clone().map(registry::Secret::new),
            faults: misbehaviour.switches.clone(),
            meddler: layer.meddler(),
            ..registry::Options::ephemeral()
        };
        let reference = Reference::start(options)?;
        let url = reference.url();
        open_beacons(&Upstream::new(&url), setup.earlier_events)?;
        let running = reference.running.as_ref();
        let proxy = running.map(|running| layer.in_front_of(running, EPHEMERAL)).transpose()?.flatten();
        let writer = setup.other_writer.then(|| Writer::start(&url));
        Ok(Self { secrets, _writer: writer, proxy, reference: Some(reference), layer })
    }

    /// A registry without a registry: every request is answered by `answer`.
    ///
    /// # Errors
    /// [`TargetError`] where it cannot listen.
    pub(crate) fn hollow(
        rewriting: Rewriting,
        answer: impl Fn(&Rewriting, Request) -> Reply + Send + Sync + 'static,
    ) -> Result<Self, TargetError> {
        let secrets = Secrets { operator_token: Some(secret()?), dns_event_secret: Some(secret()?) };
        let rewriting = Arc::new(rewriting);
        let rules = Arc::clone(&rewriting);
        let proxy = Proxy::serve(rewriting, EPHEMERAL, move |request| answer(&rules, request))?;
        let layer = Layer { rewriting: None, is_on_the_wire: false };
        Ok(Self { secrets, _writer: None, proxy: Some(proxy), reference: None, layer })
    }

    /// Its address, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        let proxy = self.proxy.as_ref().map(Proxy::url);
        proxy.or_else(|| self.reference.as_ref().map(Reference::url)).unwrap_or_default()
    }

    /// A handle on its rate limit.
    #[must_use]
    pub fn limit(&self) -> Option<registry::LimitHandle> {
        self.reference.as_ref()?.running.as_ref().map(registry::Running::limit)
    }

    /// The secrets that it was started with.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Whether its misbehaviour has made a difference so far.
    #[must_use]
    pub fn acted(&self) -> bool {
        self.layer.acted() || self.reference.as_ref().is_some_and(Reference::acted)
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InProcess({})", self.url())
    }
}

const EPHEMERAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A letter and random digits, so that there is a secret which differs in the case of its letters alone.
fn secret() -> Result<String, getrandom::Error> {
    Ok(format!("t{}", random_hex(16)?))
}

/// The reference registry and the threads that it runs on.
struct Reference {
    runtime: tokio::runtime::Runtime,
    running: Option<registry::Running>,
}

impl Reference {
    fn start(options: registry::Options) -> Result<Self, TargetError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let running = runtime.block_on(registry::start(options))?;
        Ok(Self { runtime, running: Some(running) })
    }

    fn url(&self) -> String {
        self.running.as_ref().map(registry::Running::url).unwrap_or_default()
    }

    fn acted(&self) -> bool {
        self.running.as_ref().is_some_and(registry::Running::acted)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// Opens beacons that belong to nobody.
fn open_beacons(upstream: &Upstream, count: u64) -> Result<(), getrandom::Error> {
    for _ in 0..count {
        upstream.ask(&stranger()?);
    }
    Ok(())
}

fn stranger() -> Result<Request, getrandom::Error> {
    let target = format!("/r/{}", random_hex(16)?);
    let headers = vec![("user-agent".to_owned(), b"somebody else".to_vec())];
    Ok(Request { method: "GET".to_owned(), target, headers, body: Vec::new() })
}

/// Somebody else who opens beacons until it is dropped.
struct Writer {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How long somebody else waits between two beacons: short enough to write while a log is read, long enough to let it be read.
const BETWEEN_BEACONS: Duration = Duration::from_millis(5);

impl Writer {
    fn start(url: &str) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, upstream) = (Arc::clone(&stopping), Upstream::new(url));
        let thread = spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let _ = open_beacons(&upstream, 1);
                sleep(BETWEEN_BEACONS);
            }
        });
        Self { stopping, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
