//! The reference registry as an operator's program.

#[path = "program/arguments.rs"]
mod arguments;
#[path = "program/leaves.rs"]
mod leaves;
#[path = "program/logs.rs"]
mod logs;
#[path = "program/probe.rs"]
mod probe;

use std::{error::Error, io::Write, iter::successors, process::ExitCode};

use assayer_reference_registry::{Options, Running, migrate, openapi, start, validate};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{arguments::Arguments, logs::Logs};

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
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

async fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(address) = arguments.probe {
        return probe::probe(address).map(|()| ExitCode::SUCCESS);
    }
    if let Some(code) = upkeep(arguments)? {
        return Ok(code);
    }
    let options = arguments.options()?;
    if arguments.openapi {
        writeln!(std::io::stdout(), "{:#}", openapi(&options))?;
        return Ok(ExitCode::SUCCESS);
    }
    let logs = Logs::start(arguments.log);
    let served = serve(options).await;
    logs.finish();
    served.map(|()| ExitCode::SUCCESS)
}

/// Migration and validation, which serve nothing.
fn upkeep(arguments: &Arguments) -> Result<Option<ExitCode>, Box<dyn Error>> {
    let (db, data_dir) = (arguments.db(), arguments.data_dir());
    if arguments.validate_db {
        let validation = validate(&db, &data_dir);
        writeln!(std::io::stdout(), "{:#}", validation.to_json())?;
        return Ok(Some(ExitCode::from(u8::from(!validation.is_ok()))));
    }
    if let Some(source) = &arguments.migrate_from {
        let migration = migrate(source, &db, &data_dir, arguments.migrate_dry_run)?;
        writeln!(std::io::stdout(), "{:#}", migration.to_json())?;
        return Ok(Some(ExitCode::SUCCESS));
    }
    leaves::file(arguments, &db)
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    // Before the line that says so: whoever reads it may send a signal at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let settings = options.clone();
    let registry = start(options).await?;
    tell(&settings);
    announce(&registry);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    registry.stop().await;
    Ok(())
}

/// Says where it listens, in one piece. Nobody has to read it: a closed standard output stops no registry.
fn announce(registry: &Running) {
    let admin = registry.admin_address().map(|address| format!("admin listener on http://{address}\n"));
    let text = format!("listening on {}\n{}", registry.url(), admin.unwrap_or_default());
    drop(std::io::stdout().write_all(text.as_bytes()));
}

/// What an operator should know of the settings. Of secrets only whether there are any.
fn tell(options: &Options) {
    let (has_token, has_dns_secret) = (options.operator_token.is_some(), options.dns_event_secret.is_some());
    let (is_public, bind, wire) = (options.is_public(), options.bind, options.dialect.as_str());
    tracing::info!(%bind, wire, is_public, has_token, has_dns_secret, "started");
    if is_public && !has_token {
        tracing::warn!("anybody can write: there is no operator token");
    }
    if is_public && !has_dns_secret {
        tracing::warn!("DNS events are refused with 503: there is no DNS event secret");
    }
}
