//! What is checked: the reference registry in this process, or a registry at a URL.

use std::collections::BTreeSet;

use assayer_reference_registry as registry;

use crate::names::random_hex;
use crate::secrets::Secrets;

/// Why the reference registry could not be started in this process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
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

/// The reference registry, running in this process until it is dropped.
pub struct InProcess {
    runtime: tokio::runtime::Runtime,
    running: Option<registry::Running>,
    secrets: Secrets,
}

impl InProcess {
    /// Starts it on an ephemeral loopback port with a fresh temporary database and fresh secrets.
    ///
    /// # Errors
    /// [`TargetError`], also for a fault that it does not know.
    pub fn start(faults: BTreeSet<String>) -> Result<Self, TargetError> {
        // A letter, so that there is a secret which differs in the case of its letters alone.
        let secret = || Ok::<_, TargetError>(Some(format!("t{}", random_hex(16)?)));
        let secrets = Secrets { operator_token: secret()?, dns_event_secret: secret()? };
        let options = registry::Options {
            operator_token: secrets.operator_token.clone().map(registry::Secret::new),
            dns_event_secret: secrets.dns_event_secret.clone().map(registry::Secret::new),
            faults,
            ..registry::Options::ephemeral()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let running = runtime.block_on(registry::start(options))?;
        Ok(Self { runtime, running: Some(running), secrets })
    }

    /// Its address, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.as_ref().map(registry::Running::url).unwrap_or_default()
    }

    /// A handle on its rate limit.
    #[must_use]
    pub fn limit(&self) -> Option<registry::LimitHandle> {
        self.running.as_ref().map(registry::Running::limit)
    }

    /// The secrets that it was started with.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}
