//! The embedded data is part of the crate: build again when it changes.
fn main() {
    println!("cargo::rerun-if-changed=suites");
}
