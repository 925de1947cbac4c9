//! All hundred million numbers of the reference sequence for RFC 8785, by the published SHA-256.
//!
//! `cargo run --release -p assayer-verifier --example es6_numbers -- [COUNT [FILE]]`: `COUNT` is one of the published
//! lengths, 1,000 to 100,000,000; `FILE` is `static-u64.txt`, as a rule that of `../shared/interop/corpora/es6-numbers`.
#![allow(clippy::print_stdout, clippy::allow_attributes, reason = "a program")]

#[path = "../tests/es6/mod.rs"]
mod es6;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(100_000_000), |count| count.parse())?;
    if !es6::PUBLISHED.iter().any(|(lines, _)| *lines == count) {
        let lengths: Vec<String> = es6::PUBLISHED.iter().map(|(lines, _)| lines.to_string()).collect();
        return Err(
            format!("{count} lines have no published hash, expected one of {}", lengths.join(", ")).into()
        );
    }
    let beside =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/interop/corpora/es6-numbers/static-u64.txt");
    let path = arguments.next().map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let listed = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    es6::check(&listed, count, &mut |lines| println!("the first {lines} lines have the published hash"))
}
