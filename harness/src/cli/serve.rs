//! `assayer serve`: the reference registry as a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use assayer_reference_registry::{DataLocation, Options, RateLimit, Secret, start};
use clap::Args;

use super::{Exit, complain, print, secret};

#[derive(Args)]
pub(crate) struct ServeArguments {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8765")]
    bind: SocketAddr,
    /// Keep the data in this folder; without one, in memory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Misbehave in this way (see `assayer list --faults`); may be given several times.
    #[arg(long, value_name = "ID")]
    fault: Vec<String>,
    /// Do not limit the rate of requests.
    #[arg(long)]
    no_rate_limit: bool,
}

/// What the recorded registries allow.
const RATE_LIMIT: RateLimit = RateLimit { per_second: 10, burst: 30 };

pub(crate) fn run(arguments: &ServeArguments) -> Exit {
    let secrets = secret("OVERSIGHT_OPERATOR_TOKEN")
        .and_then(|operator| Ok((operator, secret("OVERSIGHT_DNS_EVENT_SECRET")?)));
    let (operator_token, dns_event_secret) = match secrets {
        Ok(secrets) => secrets,
        Err(error) => {
            complain(error);
            return Exit::Usage;
        }
    };
    let options = Options {
        bind: arguments.bind,
        data: arguments.data_dir.clone().map_or(DataLocation::Temporary, DataLocation::Directory),
        operator_token: operator_token.map(Secret::new),
        dns_event_secret: dns_event_secret.map(Secret::new),
        rate_limit: (!arguments.no_rate_limit).then_some(RATE_LIMIT),
        faults: arguments.fault.iter().cloned().collect(),
        ..Options::ephemeral()
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(error);
            return Exit::Fault;
        }
    };
    runtime.block_on(async {
        let running = match start(options).await {
            Ok(running) => running,
            Err(error) => {
                complain(error);
                return Exit::Usage;
            }
        };
        let printed = print(&format!("listening on {}\n", running.url()));
        if printed == Exit::Good {
            stop_signal().await;
        }
        running.stop().await;
        printed
    })
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        match terminate {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
