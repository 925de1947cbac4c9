//! `assayer serve`: the reference registry as a server.

use std::net::SocketAddr;
use std::path::PathBuf;

use assayer_harness::{Layer, Misbehaviour, Proxy, wire};
use assayer_reference_registry::{Access, DataLocation, Dialect, Options, RateLimit, Secret, start};
use assayer_vectors::{SUITE, Suite, Wire};
use clap::Args;

use super::{Exit, complain, load, print, secret};

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
    /// Serve no registry: put the faults in front of the one at this URL.
    #[arg(long, value_name = "URL", requires = "fault", conflicts_with_all = ["data_dir", "no_rate_limit"])]
    upstream: Option<String>,
    /// Dialect that is spoken: a wire profile of the suite.
    #[arg(long, value_name = "PROFILE", default_value = "candidate")]
    wire: String,
    /// Take the suite with the faults from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
    /// Do not limit the rate of requests.
    #[arg(long)]
    no_rate_limit: bool,
}

/// What the recorded registries allow.
const RATE_LIMIT: RateLimit = RateLimit { per_second: 10, burst: 30 };

type Failure = (Exit, String);

pub(crate) fn run(arguments: &ServeArguments) -> Exit {
    match serve(arguments) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            complain(message);
            exit
        }
    }
}

fn serve(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let usage = |message: String| (Exit::Usage, message);
    let suite = load(SUITE, arguments.suite_dir.as_deref()).map_err(|error| usage(error.to_string()))?;
    let wire = wire(&suite, &arguments.wire).map_err(|error| usage(error.to_string()))?;
    let asked = Misbehaviour::named(&suite, &arguments.fault).map_err(|error| usage(error.to_string()))?;
    warn(&suite, &arguments.fault);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (Exit::Fault, error.to_string()))?;
    if let Some(upstream) = &arguments.upstream {
        if let Some(switch) = asked.switches.first() {
            return Err(usage(format!(
                "{switch} is a switch of the reference registry, so it cannot be put in front of one"
            )));
        }
        let proxy = Proxy::start(&asked.rules, wire, upstream, arguments.bind);
        let proxy = proxy.map_err(|error| usage(error.to_string()))?;
        return Ok(runtime.block_on(until_stopped(&proxy.url())));
    }
    reference(arguments, &asked, wire, &runtime)
}

/// A fault that is on must not be forgotten.
fn warn(suite: &Suite, names: &[String]) {
    for name in names {
        let faults = suite.faults.iter().map(|fault| (&fault.id, &fault.does));
        let variants = suite.variants.iter().map(|variant| (&variant.id, &variant.does));
        let does = faults.chain(variants).find(|(id, _)| *id == name).map_or("", |(_, does)| does);
        complain(format!("warning: this registry is faulty on purpose: {name}: {does}"));
    }
}

/// Serves the reference registry, and where it shall misbehave on the wire, the rewriting layer in front of it.
fn reference(
    arguments: &ServeArguments,
    asked: &Misbehaviour,
    wire: &Wire,
    runtime: &tokio::runtime::Runtime,
) -> Result<Exit, Failure> {
    let usage = |message: String| (Exit::Usage, message);
    let layer = Layer::of(asked, wire);
    let dialect = Dialect::named(&wire.wire);
    let options = Options {
        dialect: dialect
            .ok_or_else(|| usage(format!("the reference registry does not speak {}", wire.wire)))?,
        bind: if layer.is_on_the_wire() { SocketAddr::from(([127, 0, 0, 1], 0)) } else { arguments.bind },
        data: arguments.data_dir.clone().map_or(DataLocation::Temporary, DataLocation::Directory),
        access: access(),
        operator_token: secret("OVERSIGHT_OPERATOR_TOKEN").map_err(usage)?.map(Secret::new),
        dns_event_secret: secret("OVERSIGHT_DNS_EVENT_SECRET").map_err(usage)?.map(Secret::new),
        rate_limit: (!arguments.no_rate_limit).then_some(RATE_LIMIT),
        faults: asked.switches.clone(),
        meddler: layer.meddler(),
        ..Options::ephemeral()
    };
    let running = runtime.block_on(start(options)).map_err(|error| usage(error.to_string()))?;
    let proxy = layer.in_front_of(&running, arguments.bind).map_err(|error| usage(error.to_string()))?;
    let url = proxy.as_ref().map_or_else(|| running.url(), Proxy::url);
    let printed = runtime.block_on(until_stopped(&url));
    drop(proxy);
    runtime.block_on(running.stop());
    Ok(printed)
}

/// Whether anybody may write, without a token, also from other machines.
fn access() -> Access {
    let is_open = std::env::var("OVERSIGHT_AUTH_DISABLED").is_ok_and(|text| text == "1");
    if is_open { Access::Open } else { Access::Guarded }
}

async fn until_stopped(url: &str) -> Exit {
    let printed = print(&format!("listening on {url}\n"));
    if printed == Exit::Good {
        stop_signal().await;
    }
    printed
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
