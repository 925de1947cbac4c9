//! `assayer list`.

use crate::{json, run};

#[test]
fn lists_name_every_check_and_fault() {
    let count = |arguments: &[&str]| json(&run(arguments)).as_array().unwrap().len();
    assert_eq!(count(&["list", "--edition", "0.4.7", "--json"]), 32);
    assert_eq!(count(&["list", "--edition", "0.4.12", "--json"]), 38);
    assert_eq!(count(&["list", "--editions", "--json"]), 4);
    assert!(count(&["list", "--faults", "--json"]) >= 32);
    assert!(count(&["list", "--requirements", "--json"]) >= 50);
}
