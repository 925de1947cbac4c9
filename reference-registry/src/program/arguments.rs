//! How an operator sets the registry up: flags, or variables of an environment file. Secrets are variables only.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use assayer_reference_registry::{
    Access, DataLocation, Dialect, HostName, HostNames, LogUrl, LogUrlError, LostIdentity, Options,
    RateLimit, Secret,
};
use clap::Parser;
use ipnet::IpNet;

use crate::logs::Format;

/// What a registry that others can call allows each client, unless the operator says otherwise.
const PUBLIC_RATE: u32 = 10;

/// How many times as often a client may read.
const READS: u32 = 10;

/// An Oversight registry v1. Secrets are read from OVERSIGHT_OPERATOR_TOKEN and OVERSIGHT_DNS_EVENT_SECRET.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8765", env = "OVERSIGHT_BIND")]
    pub(crate) bind: SocketAddr,
    /// Loopback address of a second listener for the operator: /health, /metrics, /openapi.json
    #[arg(long, value_name = "ADDRESS", env = "OVERSIGHT_ADMIN_BIND")]
    admin: Option<String>,
    /// SQLite database of rows and log, created if absent
    #[arg(long, required_unless_present_any = ["openapi", "probe"])]
    db: Option<PathBuf>,
    /// Directory of registry-identity.json [default: the database's]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Requests per second and client that may register, open beacons or report DNS events, and a tenth of those that may read; 0 for no limit
    /// [default: 10 where others than programs on this machine can call, else no limit]
    #[arg(long, value_name = "PER_SECOND", env = "OVERSIGHT_RATE_LIMIT")]
    rate_limit: Option<String>,
    /// Requests that a client may make at once under a rate limit
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// MiB of memory for bodies and answers that are larger than 16 KiB, all together; one client has half of it at most. What finds no room is refused with 503
    #[arg(long, value_name = "MIB", default_value_t = 192, value_parser = clap::value_parser!(u32).range(8..=1 << 20))]
    memory: u32,
    /// Dialect that is spoken: candidate or announced-0.4.7
    #[arg(long, value_name = "PROFILE", default_value = "candidate", value_parser = dialect)]
    wire: Dialect,
    /// Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, value_name = "LIST", env = "OVERSIGHT_TRUSTED_PROXIES")]
    trusted_proxies: Option<String>,
    /// Origins of pages that may read this registry, beside the project's own, separated by commas
    #[arg(long, value_name = "LIST", env = "OVERSIGHT_CORS_ORIGINS")]
    cors_origins: Option<String>,
    /// Host name of everything but beacons
    #[arg(long, value_name = "HOST", env = "OVERSIGHT_REGISTRY_DOMAIN")]
    registry_domain: Option<String>,
    /// Host name of /p/{token}.png, which answers nothing else
    #[arg(long, value_name = "HOST", env = "OVERSIGHT_BEACON_DOMAIN")]
    beacon_domain: Option<String>,
    /// Host name of /r/{token} and /ocsp/r/{token}, which answers nothing else
    #[arg(long, value_name = "HOST", env = "OVERSIGHT_OCSP_DOMAIN")]
    ocsp_domain: Option<String>,
    /// Host name of /v/{token} and /lic/v/{token}, which answers nothing else
    #[arg(long, value_name = "HOST", env = "OVERSIGHT_LICENSE_DOMAIN")]
    license_domain: Option<String>,
    /// Base URL of a transparency log with the interface of Rekor v1 that each registration is attested in [default: none]
    #[arg(long, value_name = "URL", env = "OVERSIGHT_REKOR_URL")]
    rekor_url: Option<String>,
    /// Let anybody write, without a token; OVERSIGHT_AUTH_DISABLED=1 says the same. For trials only
    #[arg(long)]
    open: bool,
    /// Make a new identity where the log has leaves and the identity that signed its heads is lost: no earlier signature verifies under it
    #[arg(long)]
    new_identity: bool,
    /// How the log on standard error is written
    #[arg(long, value_enum, default_value_t = Format::Text, env = "OVERSIGHT_LOG")]
    pub(crate) log: Format,
    /// Take over the registry whose database this is (rows, log, identity) into --db and --data-dir, print the counts as JSON, and stop
    #[arg(long, value_name = "FILE")]
    pub(crate) migrate_from: Option<PathBuf>,
    /// Read and count, and write nothing
    #[arg(long, requires = "migrate_from")]
    pub(crate) migrate_dry_run: bool,
    /// Check that database, log and identity agree, print what does not as JSON, and stop: 0 if they do, 1 if not
    #[arg(long, conflicts_with = "migrate_from")]
    pub(crate) validate_db: bool,
    /// Write the leaves of the log as leaves.jsonl into this file ("-": standard output), print their number, and stop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["migrate_from", "validate_db"])]
    pub(crate) export_log: Option<PathBuf>,
    /// Read leaves.jsonl ("-": standard input) into --db, whose log must be empty, print their number, and stop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["migrate_from", "validate_db", "export_log"])]
    pub(crate) import_log: Option<PathBuf>,
    /// Print the OpenAPI document of the routes and stop
    #[arg(long)]
    pub(crate) openapi: bool,
    /// Ask the registry whose admin listener is at this address whether it is well, and stop
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) probe: Option<SocketAddr>,
}

impl Arguments {
    /// What the library is told.
    pub(crate) fn options(&self) -> Result<Options, Box<dyn Error>> {
        let options = Options {
            dialect: self.wire,
            bind: self.bind,
            admin: parsed("--admin", self.admin.as_deref())?,
            data: DataLocation::Files { db: self.db(), data_dir: self.data_dir() },
            access: self.access(),
            lost_identity: if self.new_identity { LostIdentity::Replaced } else { LostIdentity::Refused },
            memory: usize::try_from(self.memory).unwrap_or_default() << 20,
            cors_origins: list("--cors-origins", self.cors_origins.as_deref())?,
            hosts: self.hosts()?,
            trusted_proxies: self.trusted_proxies()?,
            operator_token: secret("OVERSIGHT_OPERATOR_TOKEN"),
            dns_event_secret: secret("OVERSIGHT_DNS_EVENT_SECRET"),
            transparency_log: self.transparency_log()?,
            jurisdiction: variable("OVERSIGHT_JURISDICTION").unwrap_or_else(|| String::from("GLOBAL")),
            ..Options::ephemeral()
        };
        let usual = if options.is_public() { PUBLIC_RATE } else { 0 };
        let per_second = parsed("--rate-limit", self.rate_limit.as_deref())?.unwrap_or(usual);
        let limit = |times: u32| RateLimit {
            per_second: per_second.saturating_mul(times),
            burst: self.burst.saturating_mul(times),
        };
        let limited = |times| (per_second > 0).then(|| limit(times));
        Ok(Options { rate_limit: limited(1), read_limit: limited(READS), ..options })
    }

    /// The database; nothing where none is needed.
    pub(crate) fn db(&self) -> PathBuf {
        self.db.clone().unwrap_or_default()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        let beside_db = || self.db().parent().map_or_else(PathBuf::new, Path::to_path_buf);
        self.data_dir.clone().unwrap_or_else(beside_db)
    }

    fn access(&self) -> Access {
        let is_open = self.open || variable("OVERSIGHT_AUTH_DISABLED").as_deref() == Some("1");
        if is_open { Access::Open } else { Access::Guarded }
    }

    fn hosts(&self) -> Result<HostNames, Box<dyn Error>> {
        let name = |flag, text: &Option<String>| parsed::<HostName>(flag, text.as_deref());
        Ok(HostNames {
            beacon: name("--beacon-domain", &self.beacon_domain)?,
            license: name("--license-domain", &self.license_domain)?,
            ocsp: name("--ocsp-domain", &self.ocsp_domain)?,
            registry: name("--registry-domain", &self.registry_domain)?,
        })
    }

    /// What is refused is not repeated: it may have a password in it.
    fn transparency_log(&self) -> Result<Option<LogUrl>, Box<dyn Error>> {
        let text = self.rekor_url.as_deref().map(str::trim).filter(|text| !text.is_empty());
        text.map(str::parse)
            .transpose()
            .map_err(|error: LogUrlError| format!("--rekor-url (not repeated here): {error}").into())
    }

    fn trusted_proxies(&self) -> Result<Vec<IpNet>, Box<dyn Error>> {
        let networks = list::<Network>("--trusted-proxies", self.trusted_proxies.as_deref())?;
        Ok(networks.into_iter().map(|Network(network)| network).collect())
    }
}

/// A network, or a single address.
struct Network(IpNet);

impl FromStr for Network {
    type Err = ipnet::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| text.parse()).map(Self)
    }
}

/// A setting that says which one it is when it is wrong. An empty text counts as absent: environment files are full of these.
fn parsed<T: FromStr<Err: Error>>(flag: &str, text: Option<&str>) -> Result<Option<T>, Box<dyn Error>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error: T::Err| format!("{flag} {:?}: {error}", text.unwrap_or_default()).into())
}

fn list<T: FromStr<Err: Error>>(flag: &str, text: Option<&str>) -> Result<Vec<T>, Box<dyn Error>> {
    let items = text.unwrap_or_default().split(',').map(|item| parsed(flag, Some(item)));
    items.filter_map(Result::transpose).collect()
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::named(name)
        .ok_or_else(|| format!("expected one of {}", Dialect::ALL.map(Dialect::as_str).join(", ")))
}

fn secret(name: &str) -> Option<Secret> {
    variable(name).map(Secret::new)
}

/// An empty variable counts as unset.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
