//! Comparisons a second of engines in one process: generation, both engines, the laws.
//!
//! `cargo bench -p assayer-canon-lab --bench compare`
#![allow(missing_docs, clippy::unwrap_used, clippy::allow_attributes, reason = "a bench")]

use std::time::Instant;

use assayer_canon_lab::{Builtin, Engine, Plan, catalogue, run, text_of};

fn engines(names: &[&str]) -> Vec<Box<dyn Engine>> {
    names.iter().map(|name| Box::new(Builtin::named(name).unwrap()) as Box<dyn Engine>).collect()
}

#[divan::bench(args = [1_000])]
fn generate(cases: u64) -> usize {
    (0..cases).map(|index| text_of(1, index).len()).sum()
}

#[divan::bench(args = [4_000])]
fn compare(cases: u64) -> u64 {
    let plan = Plan { cases, seed: 1, scheme: None, first: false };
    run(&mut engines(&["jcs", "serde_json_canonicalizer"]), &plan, &mut |_| {}).unwrap().counts.compared
}

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        let started = Instant::now();
        let plan = Plan { cases: 200_000, seed: 1, scheme: None, first: false };
        let found = run(&mut engines(&["jcs", "jcs"]), &plan, &mut |_| {}).unwrap();
        let rate = found.counts.compared as f64 / started.elapsed().as_secs_f64();
        println!("{} texts of the catalogue; {rate:.0} comparisons a second on one core", catalogue().len());
    }
    divan::main();
}
