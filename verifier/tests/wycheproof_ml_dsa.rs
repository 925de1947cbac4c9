//! Every ML-DSA-65 verification vector of the Wycheproof project. ML-DSA-44 and ML-DSA-87 are no suite of the protocol, so
//! the library does not offer them.

#![cfg(feature = "post-quantum")]

use assayer_verifier::{Code, MlDsa65Key};
use wycheproof::TestResult;
use wycheproof::mldsa_verify::{Test, TestName, TestSet};

/// What the library says of a case, with the key of its group.
fn outcome(key: &[u8], case: &Test) -> Result<(), Option<Code>> {
    let key = MlDsa65Key::from_slice(key).ok_or(None)?;
    let context = case.ctx.as_ref().map_or(&[][..], |context| context.as_slice());
    key.verify(&case.msg, context, &case.sig).map_err(Some)
}

#[test]
fn every_vector_is_accepted_or_refused_as_it_says() {
    let set = TestSet::load(TestName::MlDsa65Verify).unwrap();
    let (mut accepted, mut refused, mut wrong) = (0, 0, Vec::new());
    for group in &set.test_groups {
        for case in &group.tests {
            let found = outcome(&group.pubkey, case);
            *if found.is_ok() { &mut accepted } else { &mut refused } += 1;
            // There is no "acceptable" among these vectors.
            if found.is_ok() != (case.result == TestResult::Valid) {
                wrong.push(format!("{}: {} {:?}: {found:?}", case.tc_id, case.comment, case.flags));
            }
        }
    }
    assert_eq!(accepted + refused, set.number_of_tests);
    assert!(accepted > 10 && refused > 30, "{accepted} accepted, {refused} refused");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
