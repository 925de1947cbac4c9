//! A laboratory for canonicalizers of JSON: generate texts on the known fault lines, give them to several implementations, and
//! show what they disagree about in as few bytes as possible, with the cause by name.
//!
//! * [`JsonText`] is a [`proptest`] strategy that other projects can use by itself.
//! * An [`Engine`] is a canonicalizer: one of this process ([`Builtin`]) or any program behind the adapter protocol ([`Adapter`]).
//! * [`run`] compares engines; what it finds is shrunk ([`shrink`](shrink())) until no single reduction shows it any more, and named ([`Class`]).

mod adapter;
mod classify;
mod coarse;
mod engine;
mod generate;
mod history;
mod lab;
mod loose;
mod report;
mod serve;
mod shrink;
mod tables;

pub use adapter::{Adapter, AdapterError, Canonicalized, Patience, Request, Started};
pub use classify::Class;
pub use engine::{Answer, Builtin, Engine, Identity, Outcome, SLOW};
pub use generate::{JsonText, TextTree, catalogue, text_of};
pub use history::Repeats;
pub use lab::{Counts, Divergence, Found, Law, Plan, TooFew, Violation, Within, run};
pub use loose::reductions;
pub use report::{AbsentReport, Report, Vectors};
pub use serve::serve;
pub use shrink::{Budget, Difference, Shrunk, shrink};
