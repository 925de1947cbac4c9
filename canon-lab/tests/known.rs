//! The verifier's RFC 8785 beside engines by others: what they disagree about is listed in `known-divergences.json`, and
//! nothing else. An entry that no text shows any more fails, too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::allow_attributes, reason = "a test")]

use std::collections::BTreeSet;

use assayer_canon_lab::{Builtin, Class, Engine, Plan, run};

/// Engine and cause, where it differs from the verifier's `jcs`.
fn found(name: &str) -> BTreeSet<(String, String)> {
    let mut engines: Vec<Box<dyn Engine>> =
        ["jcs", name].map(|name| Box::new(Builtin::named(name).unwrap()) as Box<dyn Engine>).into();
    let plan = Plan { cases: 20_000, seed: 11, scheme: None, first: false };
    let found = run(&mut engines, &plan, &mut |_| {}).unwrap();
    let divergences = found.divergences.iter();
    divergences.map(|divergence| (name.to_owned(), divergence.class.as_str().to_owned())).collect()
}

#[test]
fn every_divergence_from_others_is_a_known_defect_of_theirs() {
    let known: serde_json::Value = serde_json::from_str(include_str!("../known-divergences.json")).unwrap();
    let listed: BTreeSet<(String, String)> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |member: &str| entry[member].as_str().unwrap().to_owned();
            assert!(text("why").len() > 20);
            assert!(Class::ALL.iter().any(|class| class.as_str() == text("class")), "{entry}");
            (text("engine"), text("class"))
        })
        .collect();
    let shown: BTreeSet<_> = ["serde_jcs", "serde_json_canonicalizer"].into_iter().flat_map(found).collect();
    assert_eq!(shown, listed, "left: shown by 20,000 texts; right: known");
}

/// The same comparison sees what one of them once did otherwise.
#[test]
fn an_unknown_divergence_would_be_seen() {
    let classes: BTreeSet<String> = found("serde_jcs_0_1").into_iter().map(|(_, class)| class).collect();
    assert!(
        classes.contains("order.quoted-name") || classes.contains("order.utf16-or-code-point"),
        "{classes:?}"
    );
}
