//! The reference sequence of doubles for the number formatting of RFC 8785, checked by the published SHA-256 of its lines.

use std::error::Error;
use std::fmt::Write;
use std::num::ParseIntError;

use assayer_verifier::{Document, Hash, Limits, Scheme, canonicalize};
use sha2::{Digest, Sha256};

/// So many lines hash to so much.
pub(crate) const PUBLISHED: [(u64, &str); 6] = [
    (1_000, "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"),
    (10_000, "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"),
    (100_000, "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7"),
    (1_000_000, "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16"),
    (10_000_000, "b9f8a44a91d46813b21b9602e72f112613c91408db0b8341fb94603d9db135e0"),
    (100_000_000, "0f7dda6b0837dde083c5d6b896f7d62340c8a2415b0c7121d83145e08a755272"),
];

/// Writes the first `count` doubles as `jcs`, each read from 17 digits, and compares every published hash on the way.
///
/// In: the listed bit patterns (hexadecimal, one a line) that begin the sequence. `passed` is told of each hash that is right.
pub(crate) fn check(listed: &str, count: u64, passed: &mut dyn FnMut(u64)) -> Result<(), Box<dyn Error>> {
    let (mut hash, mut line, mut spelled) = (Sha256::new(), String::new(), String::new());
    for (done, bits) in (1..=count).zip(sequence(listed)?) {
        line.clear();
        spelled.clear();
        write!(spelled, "{:.16e}", f64::from_bits(bits))?;
        let document = Document::read(spelled.as_bytes(), &Limits::default())?;
        let written = canonicalize(document.root(), Scheme::Jcs)?;
        writeln!(line, "{bits:x},{}", std::str::from_utf8(&written)?)?;
        hash.update(line.as_bytes());
        let Some((_, expected)) = PUBLISHED.iter().find(|(lines, _)| *lines == done) else { continue };
        let found = Hash(hash.clone().finalize().into()).to_hex();
        if found != *expected {
            return Err(format!("the first {done} lines hash to {found}, expected {expected}").into());
        }
        passed(done);
    }
    Ok(())
}

/// The listed patterns, 2,000 that count up from the smallest normal double, then what a chain of SHA-256 gives.
fn sequence(listed: &str) -> Result<impl Iterator<Item = u64>, ParseIntError> {
    let fixed: Vec<u64> =
        listed.lines().map(|line| u64::from_str_radix(line, 16)).collect::<Result<_, _>>()?;
    let counted = (0..2_000).map(|step| 0x0010_0000_0000_0000 + step);
    let mut block = [0_u8; 32];
    let drawn = std::iter::repeat_with(move || {
        block = Sha256::digest(block).into();
        block
    });
    let drawn = drawn.flat_map(|block| {
        let mut four = [0; 4];
        for (pattern, bytes) in four.iter_mut().zip(block.as_chunks::<8>().0) {
            *pattern = u64::from_le_bytes(*bytes);
        }
        four
    });
    let usable = |bits: &u64| f64::from_bits(*bits).is_finite() && f64::from_bits(*bits) != 0.0;
    Ok(fixed.into_iter().chain(counted).chain(drawn.filter(usable)))
}
