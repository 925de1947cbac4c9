//! The reference registry as an operator's program.

use std::{
    error::Error,
    io::Write,
    iter::successors,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use assayer_reference_registry::{
    DataLocation, Dialect, Options, RateLimit, Secret, migrate, start, validate,
};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// An Oversight registry v1. Secrets are read from OVERSIGHT_OPERATOR_TOKEN and OVERSIGHT_DNS_EVENT_SECRET.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8765")]
    bind: SocketAddr,
    /// SQLite database of rows and log, created if absent
    #[arg(long)]
    db: PathBuf,
    /// Directory of registry-identity.json [default: the database's]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Requests per second and client that may register, open beacons or report DNS events [default: no limit]
    #[arg(long, value_name = "PER_SECOND")]
    rate_limit: Option<u32>,
    /// Dialect that is spoken: candidate or announced-0.4.7
    #[arg(long, value_name = "PROFILE", default_value = "candidate", value_parser = dialect)]
    wire: Dialect,
    /// Requests that a client may make at once under a rate limit
    #[arg(long, default_value_t = 30, requires = "rate_limit")]
    burst: u32,
    /// Take over the registry whose database this is (rows, log, identity) into --db and --data-dir, print the counts as JSON, and stop
    #[arg(long, value_name = "FILE")]
    migrate_from: Option<PathBuf>,
    /// Read and count, and write nothing
    #[arg(long, requires = "migrate_from")]
    migrate_dry_run: bool,
    /// Check that database, log and identity agree, print what does not as JSON, and stop: 0 if they do, 1 if not
    #[arg(long, conflicts_with = "migrate_from")]
    validate_db: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("reference-registry: {}", with_causes(&*error));
            ExitCode::from(2)
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let causes = successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if arguments.validate_db {
        let validation = validate(&arguments.db, &data_dir(&arguments));
        writeln!(std::io::stdout(), "{:#}", validation.to_json())?;
        return Ok(ExitCode::from(u8::from(!validation.is_ok())));
    }
    if let Some(source) = &arguments.migrate_from {
        let migration = migrate(source, &arguments.db, &data_dir(&arguments), arguments.migrate_dry_run)?;
        writeln!(std::io::stdout(), "{:#}", migration.to_json())?;
        return Ok(ExitCode::SUCCESS);
    }
    serve(arguments).await.map(|()| ExitCode::SUCCESS)
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Before the line that says so: whoever reads it may send a signal at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let registry = start(options(arguments)).await?;
    println!("listening on {}", registry.url());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    registry.stop().await;
    Ok(())
}

fn data_dir(arguments: &Arguments) -> PathBuf {
    let beside_db = || arguments.db.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    arguments.data_dir.clone().unwrap_or_else(beside_db)
}

fn options(arguments: Arguments) -> Options {
    let data_dir = data_dir(&arguments);
    let burst = arguments.burst;
    Options {
        dialect: arguments.wire,
        bind: arguments.bind,
        data: DataLocation::Files { data_dir, db: arguments.db },
        operator_token: secret("OVERSIGHT_OPERATOR_TOKEN"),
        dns_event_secret: secret("OVERSIGHT_DNS_EVENT_SECRET"),
        jurisdiction: std::env::var("OVERSIGHT_JURISDICTION").unwrap_or_else(|_| String::from("GLOBAL")),
        rate_limit: arguments.rate_limit.map(|per_second| RateLimit { per_second, burst }),
        ..Options::ephemeral()
    }
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::named(name)
        .ok_or_else(|| format!("expected one of {}", Dialect::ALL.map(Dialect::as_str).join(", ")))
}

/// An empty variable counts as unset.
fn secret(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::new)
}
