//! The routes are those that the requirements name and no others, and every answer is one that the OpenAPI document describes.

use std::collections::BTreeSet;

use assayer_reference_registry::{Dialect, Options, Secret, openapi};
use assayer_vectors::{SUITE, Suite, Wire, load_embedded};
use serde_json::{Value, json};

use crate::support::{Answer, Issuer, Registry, send};

const METHODS: [&str; 7] = ["get", "head", "post", "put", "delete", "patch", "trace"];

/// Calls of the wire profiles that ask for what must not be there.
const NOT_SERVED: [&str; 3] = ["beacon-other-suffix", "nowhere", "removed-query"];

/// Methods of the fact sheet that no check calls: the OCSP beacons take POST too.
const BEYOND_THE_PROFILES: [(&str, &str); 2] = [("/ocsp/r/{token}", "post"), ("/r/{token}", "post")];

fn suite() -> Suite {
    load_embedded(SUITE).unwrap()
}

fn wire(suite: &Suite, dialect: Dialect) -> &Wire {
    suite.wires.iter().find(|wire| wire.wire == dialect.as_str()).unwrap()
}

fn document(dialect: Dialect) -> Value {
    openapi(&Options { dialect, ..Options::ephemeral() })
}

fn documented_paths(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

/// The paths in the sentence EP-1.
fn required_paths(suite: &Suite) -> BTreeSet<String> {
    let sentence = &suite.requirements.iter().find(|requirement| requirement.id == "EP-1").unwrap().statement;
    let words = sentence.split([' ', ',']).filter(|word| word.starts_with('/'));
    words.map(|word| word.strip_suffix('.').unwrap_or(word).to_owned()).collect()
}

#[test]
fn the_candidate_serves_the_route_table_and_nothing_else() {
    let (suite, document) = (suite(), document(Dialect::Candidate));
    assert_eq!(required_paths(&suite).len(), 15);
    assert_eq!(documented_paths(&document), required_paths(&suite));
}

#[test]
fn the_announced_dialect_differs_in_two_paths() {
    let mut expected = required_paths(&suite());
    assert!(expected.remove("/health"));
    expected.extend(["/healthz".to_owned(), "/tlog/proof".to_owned()]);
    assert_eq!(documented_paths(&document(Dialect::Announced)), expected);
}

/// A path without the names of its parameters: two calls of one endpoint may name them differently.
fn shape(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |shape, part| shape + "{}" + part.split_once('}').unwrap().1)
}

#[test]
fn the_wire_profiles_call_what_is_documented_and_what_is_documented_is_called() {
    let suite = suite();
    for dialect in Dialect::ALL {
        let document = document(dialect);
        let calls =
            wire(&suite, dialect).calls.iter().filter(|(name, _)| !NOT_SERVED.contains(&name.as_str()));
        let called: BTreeSet<(String, String)> =
            calls.map(|(_, call)| (shape(&call.path), call.method.to_lowercase())).collect();
        let mut documented = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let methods = methods.as_object().unwrap().keys().filter(|method| *method != "head");
            documented.extend(methods.map(|method| (shape(path), method.clone())));
        }
        for (path, method) in BEYOND_THE_PROFILES {
            let was_there = documented.remove(&(shape(path), method.to_owned()));
            assert_eq!(was_there, dialect == Dialect::Candidate || path != "/r/{token}");
        }
        assert_eq!(documented, called, "{}", dialect.as_str());
    }
}

/// Asks for every method of every path, documented or not.
#[test]
fn methods_that_are_not_documented_are_refused_and_other_paths_are_not_there() {
    let suite = suite();
    for dialect in Dialect::ALL {
        let document = document(dialect);
        let registry = Registry::with(Options { dialect, ..Options::ephemeral() });
        for (path, operations) in document["paths"].as_object().unwrap() {
            let target = path.replace("{token}", "t").replace("{file_id}", "f").replace("{index}", "0");
            for method in METHODS {
                let status = registry.send(&method.to_uppercase(), &target, &[], b"").status;
                assert_eq!(
                    status == 405,
                    !operations.as_object().unwrap().contains_key(method),
                    "{method} {path}: {status}"
                );
            }
        }
        let not_served = NOT_SERVED.iter().map(|name| &wire(&suite, dialect).calls[*name].path);
        let others = [
            "/docs",
            "/redoc",
            "/openapi.json",
            "/metrics",
            "/query/f",
            "/tlog",
            "/tlog/leaves",
            "/admin",
            "/p/t",
            "/health/",
            "//health",
        ];
        for path in not_served.map(String::as_str).chain(others) {
            assert_eq!(registry.get(&path.replace(['{', '}'], "")).status, 404, "{path}");
        }
        registry.stop();
    }
}

/// Holds answers against the document.
struct Documented {
    document: Value,
}

impl Documented {
    #[track_caller]
    fn describes(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.document["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][answer.status.to_string()];
        let text = String::from_utf8_lossy(&answer.body);
        assert!(
            response.is_object(),
            "{method} {path} answers {}, which is not documented: {text}",
            answer.status
        );
        let headers = response["headers"].as_object().into_iter().flat_map(|headers| headers.keys());
        for name in headers {
            assert!(answer.header(&name.to_lowercase()).is_some(), "{method} {path}: no {name}");
        }
        let Some(content) = response["content"].as_object() else {
            return assert_eq!(text, "", "{method} {path}: a body that is not documented");
        };
        let (media, content) = content.iter().next().unwrap();
        assert_eq!(answer.header("content-type"), Some(media.as_str()), "{method} {path}");
        if media == "application/json" {
            self.holds(&content["schema"], &answer.json());
        }
    }

    #[track_caller]
    fn holds(&self, schema: &Value, value: &Value) {
        let schema = json!({"allOf": [schema], "components": self.document["components"]});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {value:#}");
    }
}

struct Conversation {
    registry: Registry,
    documented: Documented,
}

impl Conversation {
    fn with(options: Options) -> Self {
        let documented = Documented { document: openapi(&options) };
        Self { registry: Registry::with(options), documented }
    }

    #[track_caller]
    fn get(&self, path: &str, target: &str) -> Answer {
        for method in ["HEAD", "GET"] {
            let answer = self.registry.send(method, target, &[], b"");
            self.documented.describes(method, path, &answer);
        }
        self.registry.get(target)
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Answer {
        let answer = self.registry.post(path, body);
        self.documented.describes("POST", path, &answer);
        answer
    }
}

fn has_conversation(dialect: Dialect) {
    let talk = Conversation::with(Options { dialect, ..Options::ephemeral() });
    let (owner, other) = (Issuer::new(1), Issuer::new(2));
    let (health, is_announced) = match dialect {
        Dialect::Candidate => ("/health", false),
        Dialect::Announced => ("/healthz", true),
    };
    assert_eq!(talk.post("/register", &owner.registration("file")).status, 200);
    write_what_is_refused(&talk, &owner, &other);
    for token in ["file-t1", "stranger"] {
        use_token(&talk, token);
    }
    talk.get("/p/{token}.png", "/p/t.jpg");
    talk.get("/v/{token}", &format!("/v/{}", "x".repeat(257)));
    read_everything(&talk, health);
    if is_announced {
        for target in ["/tlog/proof?first=1&second=3", "/tlog/proof", "/tlog/proof?first=1&second=999999"] {
            talk.get("/tlog/proof", target);
        }
    }
    talk.registry.stop();
}

fn write_what_is_refused(talk: &Conversation, owner: &Issuer, other: &Issuer) {
    let mut unsigned = owner.registration("unsigned");
    unsigned["manifest"]["signature_ed25519"] = json!("00".repeat(64));
    let mut lonely = owner.registration("lonely");
    lonely["beacons"] = json!([]);
    for refused in
        [json!({}), unsigned, lonely, other.registration("file"), owner.registration(&"x".repeat(257))]
    {
        assert_ne!(talk.post("/register", &refused).status, 200);
    }
    talk.post("/dns_event", &json!({"token_id": "x".repeat(257)}));
    talk.post("/attribute", &json!({}));
}

fn use_token(talk: &Conversation, token: &str) {
    for (path, prefix) in [
        ("/r/{token}", "/r/"),
        ("/ocsp/r/{token}", "/ocsp/r/"),
        ("/v/{token}", "/v/"),
        ("/lic/v/{token}", "/lic/v/"),
    ] {
        talk.get(path, &format!("{prefix}{token}"));
    }
    talk.get("/p/{token}.png", &format!("/p/{token}.png"));
    talk.post(
        "/dns_event",
        &json!({"token_id": token, "qname": "q", "qtype": "A", "client_ip": "192.0.2.1"}),
    );
    talk.post("/dns_event", &json!({"token_id": token}));
    talk.post("/attribute", &json!({"token_id": token}));
}

fn read_everything(talk: &Conversation, health: &str) {
    assert_eq!(talk.get("/evidence/{file_id}", "/evidence/file").status, 200);
    talk.get("/evidence/{file_id}", "/evidence/none");
    talk.get(health, health);
    talk.get("/.well-known/oversight-registry", "/.well-known/oversight-registry");
    talk.get("/tlog/head", "/tlog/head");
    for target in ["/tlog/proof/0", "/tlog/proof/999999", "/tlog/proof/x"] {
        talk.get("/tlog/proof/{index}", target);
    }
    for target in ["/tlog/range", "/tlog/range?start=1&limit=2", "/tlog/range?start=-1"] {
        talk.get("/tlog/range", target);
    }
    for target in ["/candidates/semantic", "/candidates/semantic?limit=x"] {
        talk.get("/candidates/semantic", target);
    }
}

#[test]
fn every_answer_of_the_candidate_is_documented() {
    has_conversation(Dialect::Candidate);
}

#[test]
fn every_answer_of_the_announced_dialect_is_documented() {
    has_conversation(Dialect::Announced);
}

#[test]
fn the_example_of_the_document_is_a_registration_that_is_accepted() {
    for dialect in Dialect::ALL {
        let talk = Conversation::with(Options { dialect, ..Options::ephemeral() });
        let schemas = &talk.documented.document["components"]["schemas"];
        let (registration, question) = (&schemas["Registration"]["example"], &schemas["Question"]["example"]);
        talk.documented.holds(&json!({"$ref": "#/components/schemas/Registration"}), registration);
        assert_eq!(talk.post("/register", registration).status, 200);
        assert_eq!(talk.post("/attribute", question).json()["found"], true);
        talk.registry.stop();
    }
}

#[test]
fn secrets_and_limits_are_documented_where_they_are_asked_for() {
    let secret = || Some(Secret::new("hush"));
    let options = Options {
        operator_token: secret(),
        dns_event_secret: secret(),
        admin: Some(([127, 0, 0, 1], 0).into()),
        read_limit: Some(assayer_reference_registry::RateLimit { per_second: 0, burst: 1 }),
        ..Options::ephemeral()
    };
    let talk = Conversation::with(options);
    for path in ["/register", "/attribute", "/dns_event"] {
        let document = &talk.documented.document;
        assert_eq!(document["paths"][path]["post"]["security"].as_array().unwrap().len(), 2);
        assert!(matches!(talk.post(path, &json!({})).status, 401 | 429));
    }
    talk.get("/tlog/head", "/tlog/head");
    let served = send(talk.registry.running.admin_address().unwrap(), "GET", "/openapi.json", &[], b"");
    assert_eq!(served.accepts(), talk.documented.document);
    talk.registry.stop();
}
