//! The data files: their schemas are those of the types, each file fits its schema, and the lint notices what it says
//! that it notices. `ASSAYER_BLESS=1 cargo test -p assayer-vectors` writes the schemas anew.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use assayer_vectors::{
    CheckFile, Edition, FaultFile, Keyword, Rename, Renames, RequirementFile, SUITE, Stage, Step, Suite,
    SuiteFile, VariantFile, Wire, lint, load_embedded, load_folder,
};
use schemars::schema_for;
use serde_json::{Value as Json, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Name of the schema, the schema, and the files that it is of (below a suite's folder; `/` for all of a folder).
fn schemas() -> [(&'static str, Json, &'static str); 8] {
    let json = |schema: schemars::Schema| serde_json::to_value(schema).unwrap();
    [
        ("suite", json(schema_for!(SuiteFile)), "suite.yaml"),
        ("requirements", json(schema_for!(RequirementFile)), "requirements.yaml"),
        ("faults", json(schema_for!(FaultFile)), "faults/"),
        ("variants", json(schema_for!(VariantFile)), "variants.yaml"),
        ("renames", json(schema_for!(Renames)), "renames.yaml"),
        ("checks", json(schema_for!(CheckFile)), "checks/"),
        ("edition", json(schema_for!(Edition)), "editions/"),
        ("wire", json(schema_for!(Wire)), "wire/"),
    ]
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    for (name, schema, _) in schemas() {
        let path = folder().join("schemas").join(format!("{name}.schema.json"));
        let text = format!("{schema:#}\n");
        if std::env::var_os("ASSAYER_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{} is stale", path.display());
    }
}

#[test]
fn each_data_file_fits_its_schema() {
    let suite = folder().join("suites").join(SUITE);
    for (name, schema, files) in schemas() {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let paths = if files.ends_with('/') { list(&suite.join(files)) } else { vec![suite.join(files)] };
        assert!(!paths.is_empty(), "{name}");
        for path in paths {
            let data: Json = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let errors: Vec<String> = validator.iter_errors(&data).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Vectors and soundness matrix: each file fits the schema that is published for it.
#[test]
fn each_vector_fits_its_schema() {
    let read = |path: &Path| -> Json { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
    let schema = |name: &str| {
        let path = folder().join("schemas").join(format!("{name}.schema.json"));
        jsonschema::validator_for(&read(&path)).unwrap()
    };
    for kind in [
        "json",
        "canonicalization",
        "merkle",
        "signatures",
        "bundles",
        "heads",
        "logs",
        "proofs",
        "registrations",
        "soundness",
        "oversight",
    ] {
        let (one, bases) = match kind {
            "soundness" => (schema("soundness-group"), Some(schema("soundness-bases"))),
            "oversight" => (schema("oversight-manifests"), None),
            "heads" | "logs" | "proofs" => (schema("vector-document"), None),
            "signatures" | "bundles" | "registrations" => {
                (schema(&format!("vector-{}", kind.trim_end_matches('s'))), None)
            }
            _ => (schema(&format!("vector-{kind}")), None),
        };
        let mut paths = files_below(&folder().join(kind));
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        let least = match kind {
            "oversight" => 1,
            "canonicalization" => 9,
            _ => 21,
        };
        assert!(paths.len() >= least, "{kind}");
        for path in paths {
            let is_bases = path.file_name().is_some_and(|name| name == "bases.json");
            let validator = bases.as_ref().filter(|_| is_bases).unwrap_or(&one);
            let errors: Vec<String> =
                validator.iter_errors(&read(&path)).map(|error| error.instance_path().to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (folders, mut files): (Vec<_>, Vec<_>) = list(folder).into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|inner| files_below(inner)));
    files
}

#[test]
fn the_embedded_suite_is_the_one_on_disk() {
    let embedded = load_embedded(SUITE).unwrap();
    let on_disk = load_folder(&folder().join("suites").join(SUITE)).unwrap();
    assert_eq!(embedded.digest, on_disk.digest);
    assert_eq!(embedded.checks.len(), on_disk.checks.len());
}

#[test]
fn unknown_members_and_duplicate_keys_are_refused_with_their_place() {
    let copied = tempfile::tempdir().unwrap();
    copy(&folder().join("suites").join(SUITE), copied.path());
    assert!(load_folder(copied.path()).is_ok());
    for (line, named) in [("    surprise: 1\n", "surprise"), ("    group: registration\n", "group")] {
        let path = copied.path().join("checks/2-registration.yaml");
        let text = fs::read_to_string(folder().join("suites").join(SUITE).join("checks/2-registration.yaml"))
            .unwrap();
        let at = text.find("    group: registration\n").unwrap();
        fs::write(&path, format!("{}{line}{}", &text[..at], &text[at..])).unwrap();
        let error = load_folder(copied.path()).unwrap_err().to_string();
        assert!(error.contains("checks/2-registration.yaml") && error.contains(named), "{error}");
        assert!(error.contains("line"), "{error}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in list(from) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every rule of the lint is shown to bite: one change to a sound suite, one complaint.
#[test]
fn the_lint_names_each_thing_that_does_not_fit() {
    type Change = fn(&mut Suite);
    let cases: [(&str, Change); 31] = [
        ("is defined twice", |suite| suite.checks.push(suite.checks[0].clone())),
        ("there is no group", |suite| suite.checks[0].group = "nowhere".to_owned()),
        ("there is no requirement", |suite| suite.checks[0].requirements = vec!["XX-9".to_owned()]),
        ("write `reviewed: \"", |suite| suite.requirements[0].statement.push_str(" Twice.")),
        (
            "beacon-http-img-200); \
             read them again",
            |suite| {
                let health = suite.requirements.iter_mut().find(|known| known.id == "EP-1.health").unwrap();
                health.keyword = Keyword::Should;
                suite
                    .checks
                    .iter_mut()
                    .find(|check| check.id == "beacon-http-img-200")
                    .unwrap()
                    .requirements = vec!["EP-1.health".to_owned()];
            },
        ),
        ("a part of `ZZ-1`, which is not there", |suite| suite.requirements[0].id = "ZZ-1.part".to_owned()),
        ("there is no implementation `nobody`", |suite| {
            suite.requirements[0].reference_diverges.insert("nobody".to_owned(), "it".to_owned());
        }),
        ("requirement `HE-2`: no check of the strict edition tests it", |suite| {
            suite.editions.iter_mut().for_each(|edition| {
                edition.checks.retain(|listed| listed.id != "health-service-prefix");
            });
        }),
        ("`not_tested`, and yet", |suite| {
            let tested = suite.requirements.iter_mut().find(|known| known.id == "SI-3").unwrap();
            tested.not_tested = Some("no time".to_owned());
        }),
        ("is never run", |suite| {
            suite.editions.iter_mut().for_each(|edition| {
                edition.checks.retain(|listed| listed.id != "health-200");
            });
        }),
        ("not stricter than any sentence it cites", |suite| {
            suite.checks[0].requirements.push("TR-3".to_owned());
        }),
        ("only allows something", |suite| suite.checks[0].requirements = vec!["ER-2".to_owned()]),
        ("cites no requirement", |suite| suite.checks[0].requirements.clear()),
        ("expects nothing", |suite| suite.checks[0].expect.clear()),
        ("nothing is expected of", |suite| suite.checks[0].expect[0].status = None),
        ("there is no exchange", |suite| suite.checks[0].expect[0].exchange = "nothing".to_owned()),
        ("both success and failure", |suite| {
            suite.checks[0].weak = None;
            suite.checks[0].expect[0].status_in = vec![200, 401];
        }),
        ("names no accepted twin", |suite| {
            suite.checks[0].weak = None;
            suite.checks[0].expect[0].error = Some("not_found".to_owned());
        }),
        ("is sent once", |suite| {
            let repeated = suite.exchanges.iter_mut().find(|exchange| exchange.each.is_some()).unwrap();
            repeated.together = Some("race".to_owned());
        }),
        ("expected `request` or `twin`", |suite| suite.exchanges[0].request = None),
        ("wait for each other in a circle", |suite| {
            let id = suite.exchanges[0].id.clone();
            suite.exchanges[0].after = vec![suite.exchanges[1].id.clone()];
            suite.exchanges[1].after = vec![id];
        }),
        ("refers to nothing that is defined", |suite| {
            suite.checks[0].expect[0].equals = Some(Json::from("$nothing#/at/all"));
        }),
        ("there is no check", |suite| suite.faults[0].killed_by = "nobody".to_owned()),
        ("is defined twice", |suite| suite.variants[0].id = suite.faults[0].id.clone()),
        ("differs in nothing", |suite| suite.variants[0].rewrite.clear()),
        ("has no meaning at this stage", |suite| {
            suite.variants[0].rewrite[0].at = Stage::Leaf;
        }),
        ("$nowhere refers to nothing", |suite| {
            suite.variants[0].rewrite[0].then = vec![Step::Text("$nowhere".to_owned())];
        }),
        ("older check `health-200` is still there", |suite| {
            let from = suite.checks.iter().find(|check| check.id == "health-200").unwrap().id.clone();
            suite.renames.checks.push(Rename { to: from.clone(), from });
        }),
        ("older check `ping`: there is no `pong`", |suite| {
            suite.renames.checks.push(Rename { from: "ping".to_owned(), to: "pong".to_owned() });
        }),
        ("older exchange `ping`: there is no `pong`", |suite| {
            suite.renames.exchanges.push(Rename { from: "ping".to_owned(), to: "pong".to_owned() });
        }),
        ("lists `health-200` twice", |suite| {
            let first = suite.editions[0].checks[0].clone();
            suite.editions[0].checks.push(first);
        }),
    ];
    for (complaint, change) in cases {
        let mut suite = load_embedded(SUITE).unwrap();
        change(&mut suite);
        let found: Vec<String> = lint(&suite).iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|text| text.contains(complaint)), "{complaint}: {found:?}");
    }
}

#[test]
fn the_lint_names_conditions_that_say_nothing_or_two_things() {
    type Change = fn(&mut Suite);
    let expectation = |suite: &mut Suite, data: Json| {
        let data = serde_json::from_value(data).unwrap();
        suite.checks[0].weak = None;
        suite.checks[0].expect = vec![data];
    };
    let of_data = [
        (
            "`every` of no item",
            json!({"exchange": "health", "every": {"in": "/a", "least": 0, "schema": {}}}),
        ),
        (
            "nothing is expected of every item",
            json!({"exchange": "health", "every": {"in": "/a", "least": 1}}),
        ),
        ("nothing is expected of the field", json!({"exchange": "health", "header": {"name": "A"}})),
        ("nothing is expected of `health`", json!({"exchange": "health", "unless_error": ["not_found"]})),
        (
            "no wire profile has an error",
            json!({"exchange": "health", "status": 200, "unless_error": ["none"]}),
        ),
        ("names no accepted twin", json!({"exchange": "health", "error_in": ["not_found"]})),
        ("there is no exchange", json!({"exchange": "health", "growth": {"log": "none", "torn": "ignored"}})),
    ];
    let of_exchanges: [(&str, Change); 3] = [
        ("what is sent in a burst stores nothing", |suite| {
            suite.exchanges[0].burst = Some(3);
            suite.exchanges[0].effect = assayer_vectors::Effect::RecordsEvent;
        }),
        ("say two things about one header", |suite| {
            let request = suite.exchanges[0].request.as_mut().unwrap();
            request.secret = Some(assayer_vectors::SecretUse::None);
            request.credentials = serde_json::from_value(json!([{"in": "bearer", "is": "right"}])).unwrap();
        }),
        ("there is no exchange", |suite| suite.checks[0].only_if_accepted = vec!["nothing".to_owned()]),
    ];
    let complaints = |suite: &Suite| lint(suite).iter().map(ToString::to_string).collect::<Vec<_>>();
    for (complaint, data) in of_data {
        let mut suite = load_embedded(SUITE).unwrap();
        expectation(&mut suite, data);
        let found = complaints(&suite);
        assert!(found.iter().any(|text| text.contains(complaint)), "{complaint}: {found:?}");
    }
    for (complaint, change) in of_exchanges {
        let mut suite = load_embedded(SUITE).unwrap();
        change(&mut suite);
        let found = complaints(&suite);
        assert!(found.iter().any(|text| text.contains(complaint)), "{complaint}: {found:?}");
    }
}
