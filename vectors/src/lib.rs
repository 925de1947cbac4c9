//! What a registry is checked against, as data: suites with their exchanges and checks, requirements, editions, wire
//! profiles and faults. This crate holds the types, the loader and the lint; it judges nothing and sends nothing.
//!
//! ```text
//! suites/oversight-v1/suite.yaml          name, groups, values, fixtures
//!                     requirements.yaml   the normative sentences, with ids
//!                     wire/*.yaml         dialects: paths, statuses, envelope
//!                     checks/*.yaml       exchanges and the checks that judge them
//!                     editions/*.yaml     frozen lists of checks
//!                     faults/*.yaml       deliberate defects, and the check that must notice each
//!                     variants.yaml       harmless differences, and registries with nothing inside
//!                     renames.yaml        what was called otherwise once
//! ```

mod coverage;
mod fault;
mod lint;
mod load;
mod model;
mod reference;
mod rewriting;

pub use coverage::Coverage;
pub use fault::{
    Earlier, Fault, FaultFile, FaultKind, Function, Hollow, HollowAnswers, MayPass, Rule, Sending, Setup,
    Spelling, Stage, Step, Turns, Variant, VariantFile, When,
};
pub use lint::{Complaint, lint};
pub use load::{LoadError, SUITE, embedded_digest, load_embedded, load_folder};
pub use model::{
    Authorization, Beyond, Call, Capability, Check, CheckFile, Credential, CredentialField, CredentialText,
    Damage, Dated, DatedBy, Document, Each, Edition, Effect, Envelope, Every, Exchange, Expectation, Find,
    Fixture, Group, Growth, HeaderExpectation, Keyword, LeafOf, Listed, Observable, OfTheLog, Order,
    PatchOperation, Png, Reading, Rename, Renames, Repeatable, Replacement, Request, Requirement,
    RequirementFile, SecretUse, SentBefore, SignedForm, Statuses, Suite, SuiteFile, Torn, Under, ValueSource,
    Wherever, Whole, Wire,
};
pub use reference::{Reference, Unresolved, references, references_in_text, resolve};
