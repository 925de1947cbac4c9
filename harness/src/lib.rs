//! Plans, records and judges the conformance of a registry. What is sent and what is expected is data
//! (`assayer-vectors`); what is established by an answer is the verifier's word (`assayer-verifier`).
//!
//! ```text
//! suite + edition --plan--> exchanges --record--> transcript --judge--> report
//! ```
//!
//! Recording is all the I/O there is. Judging is a pure function over the transcript.

mod addresses;
mod archive;
mod blot;
mod budget;
pub mod burn_in;
mod claim;
mod client;
mod compare;
mod conditions;
mod defect;
pub mod evidence;
mod forms;
mod growth;
mod job;
mod judge;
mod ledger;
mod names;
mod own_suite;
mod parallel;
mod plan;
mod policy;
mod record;
mod repeat;
mod replace;
mod rewrite;
mod run;
mod schema;
mod secrets;
mod seen;
mod selftest;
mod target;
mod tls;
mod transcript;
mod wrote;

pub use archive::{
    ARCHIVE_FORM, Archive, ArchiveError, ArchiveState, Certificate, Clock, Derived, Difference, Judged,
    Manifest, RECHECK_FORM, Recheck, SuiteUsed, TlsPeer, VERDICTS_FORM, Verdict, Verdicts, WriteError,
    Writer, derive, har, recheck,
};
pub use budget::Budget;
pub use claim::{
    CLAIM_FILE, CLAIM_KIND, ClaimError, ClaimTrust, LONGEST_CLAIM, Resource, Statement, TestResult, is_claim,
    sign, signing_key, statement, verify_claim, verify_claim_at,
};
pub use client::{BadUrl, Client, Pace};
pub use compare::{CompareError, Intact, diff, side_by_side};
pub use forms::{coloured, report_in, titles};
pub use job::{Job, UnknownName, cases_named, edition, wire};
pub use judge::Judge;
pub use names::{Names, NamesError};
pub use own_suite::own_suite;
pub use parallel::{in_order, in_order_together};
pub use plan::{Case, allowed, cases, exchanges};
pub use policy::{EmptyRootError, Policy, PolicyError, known_head};
pub use record::Recorder;
pub use replace::{Held, hold, write_whole};
pub use rewrite::{Proxy, ProxyError};
pub use run::{Against, Options, RunError, report, run, run_with, tool};
pub use secrets::Secrets;
pub use selftest::Selftest;
pub use target::{InProcess, Layer, Misbehaviour, TargetError};
pub use transcript::{Answer, Failure, Outcome, Recorded, Sent, Transcript};
