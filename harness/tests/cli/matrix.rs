//! `assayer matrix`.

use serde_json::Value as Json;

use crate::{archived, code, run, tamper, text};

#[test]
fn implementations_stand_side_by_side_and_who_differs_from_all_others_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let only = ["--edition", "0.4.12", "--only", "health-*"];
    let good = archived(folder.path(), "good", &only);
    let twin = archived(folder.path(), "twin", &only);
    let bad = archived(folder.path(), "bad", &[&only[..], &["--fault", "health-status-missing"]].concat());
    let site = folder.path().join("site");
    let out = site.to_str().unwrap();
    let (one, other, third) = (format!("one={good}"), format!("<b>={twin}"), bad.as_str());
    let output = run(&["matrix", &one, &other, third, "--out", out]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let matrix: Json = serde_json::from_slice(&std::fs::read(site.join("matrix.json")).unwrap()).unwrap();
    let row = |id: &str| {
        let rows = matrix["checks"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["results"].clone()
    };
    let alone = |row: &Json, name: &str| row[name]["alone"].as_bool().unwrap();
    let status = row("health-has-status");
    assert_eq!((alone(&status, "one"), alone(&status, "<b>"), alone(&status, "bad")), (false, false, true));
    assert!(!alone(&row("health-200"), "bad"));
    let page = |name: &str| std::fs::read_to_string(site.join(name)).unwrap();
    assert!(
        page("implementations/3.html").contains("Anomalies")
            && !page("implementations/1.html").contains("Anomalies")
    );
    assert!(
        page("checks/health-has-status.html").contains("&#60;b&#62;") && !page("index.html").contains("<b>=")
    );
    // What stands in code in a sentence does so here.
    let demanded = page("checks/health-has-status.html");
    assert!(demanded.contains("<li><code>status</code> of /health"), "{demanded}");
    // Every link leads to a page that there is.
    let mut links = 0;
    for name in ["index.html", "implementations/3.html", "checks/health-200.html"] {
        for link in page(name).split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let target = site.join(name).parent().unwrap().join(link);
            assert!(link.starts_with('#') || target.is_file(), "{name}: {link}");
            links += 1;
        }
    }
    assert!(links > 10, "{links}");
    // Of two nobody is the odd one, and then there is no other list before what one does not pass.
    assert_eq!(code(&run(&["matrix", &one, third, "--out", out])), 0);
    assert!(page("implementations/2.html").contains(">What it does not pass<"));
    // An earlier site is replaced, other files are left alone, and two implementations need two names.
    assert_eq!(code(&run(&["matrix", &one, "--out", out])), 0);
    assert!(!site.join("implementations/2.html").exists());
    assert_eq!(code(&run(&["matrix", &one, "--out", &good])), 2);
    assert_eq!(code(&run(&["matrix", &one, &one, "--out", out])), 2);
    let twice = run(&["matrix", &format!("a={good}"), &format!("b={good}"), "--out", out]);
    assert_eq!(code(&twice), 2);
    assert!(text(&twice.stderr).contains("`a` and `b`"), "{}", text(&twice.stderr));
    tamper(&bad, "verdicts.json", "\"fail\"", "\"pass\"");
    assert_eq!(code(&run(&["matrix", &one, &bad, "--out", out])), 1);
}
