#![no_main]
#[path = "../../verifier/tests/properties/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::verify_proof_file(input));
