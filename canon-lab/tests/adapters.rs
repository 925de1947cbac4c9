//! Adapters that crash, hang, chatter or are not there, and the ones that this project ships.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test"
)]

use std::path::Path;
use std::time::Duration;

use assayer_canon_lab::{
    Adapter, AdapterError, Answer, Builtin, Engine, Found, Outcome, Patience, Plan, Repeats, Report, run,
};

const HASTY: Patience =
    Patience { answer: Duration::from_secs(2), restarts: 8, silences: 3, ..Patience::DEFAULT };

/// An adapter in Python whose answer to a text is an expression over `text`.
fn python(folder: &Path, body: &str) -> Result<Adapter, AdapterError> {
    python_with(folder, body, HASTY)
}

fn python_with(folder: &Path, body: &str, patience: Patience) -> Result<Adapter, AdapterError> {
    let script = format!(
        "import json, os, sys, time\nfor line in sys.stdin:\n    asked = json.loads(line)\n    if asked['cmd'] == 'stop': break\n    \
         if asked['cmd'] == 'start':\n        print(json.dumps({{'name': 'p', 'version': '1', 'scheme': 'jcs'}}), flush=True)\n        continue\n    \
         text = bytes.fromhex(asked['input'])\n{body}\n"
    );
    let path = folder.join("adapter.py");
    std::fs::write(&path, script).unwrap();
    Adapter::start(&format!("python3 '{}'", path.display()), patience)
}

fn texts() -> Vec<Vec<u8>> {
    (0..200).map(|number| number.to_string().into_bytes()).collect()
}

/// Every text but one is answered by itself, and that one is the culprit.
fn assert_only_culprit(adapter: &mut Adapter, culprit: usize, why: &str) {
    for (at, (answer, text)) in adapter.canonicalize(&texts()).iter().zip(texts()).enumerate() {
        if at == culprit {
            assert_eq!(answer.outcome, Outcome::Error);
            assert!(answer.why.contains(why), "{}", answer.why);
        } else {
            assert_eq!(answer.outcome, Outcome::Bytes(text), "{at}: {}", answer.why);
        }
    }
}

#[test]
fn a_crash_is_of_the_text_that_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    if text == b'77': sys.stderr.write('no 77 here'); os._exit(3)\n    print(json.dumps({'ok': text.hex()}), flush=True)";
    assert_only_culprit(&mut python(folder.path(), body).unwrap(), 77, "no 77 here");
}

#[test]
fn silence_is_of_the_text_that_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    if text == b'5': time.sleep(60)\n    print(json.dumps({'ok': text.hex()}), flush=True)";
    assert_only_culprit(&mut python(folder.path(), body).unwrap(), 5, "no answer within 2 s");
}

#[test]
fn an_engine_that_often_falls_silent_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    if len(text) > 1: time.sleep(60)\n    print(json.dumps({'ok': text.hex()}), flush=True)";
    let patience = Patience { answer: Duration::from_millis(400), ..HASTY };
    let mut adapter = python_with(folder.path(), body, patience).unwrap();
    let answers = adapter.canonicalize(&texts());
    assert!(answers.len() < 20, "{}", answers.len());
    assert!(adapter.is_given_up());
}

#[test]
fn an_answer_outside_the_protocol_is_an_error_of_that_text() {
    for answer in
        ["{}", "{\"ok\":\"7b\",\"reject\":\"no\"}", "{\"ok\":\"xyz\"}", "[]", "debug: here", "{\"ok\":7}"]
    {
        let folder = tempfile::tempdir().unwrap();
        let body = format!(
            "    print({answer:?} if text == b'9' else json.dumps({{'ok': text.hex()}}), flush=True)"
        );
        assert_only_culprit(&mut python(folder.path(), &body).unwrap(), 9, "outside the protocol");
    }
}

#[test]
fn an_engine_that_always_breaks_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut adapter = python(folder.path(), "    os._exit(1)").unwrap();
    let answers = adapter.canonicalize(&texts());
    assert_eq!(answers.len(), 8, "one for each new start");
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Error));
    assert!(adapter.is_given_up() && adapter.canonicalize(&texts()).is_empty());
    // A text that is to be published is asked all the same, and an experiment has new starts of its own.
    assert_eq!(adapter.answer(b"1").unwrap().outcome, Outcome::Error);
    adapter.set_experimenting(true);
    assert_eq!(adapter.canonicalize(&texts()).len(), 8);
    adapter.set_experimenting(false);
    assert!(adapter.is_given_up());
}

#[test]
fn a_run_goes_on_without_the_engine_that_was_given_up_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    if len(text) > 40: os._exit(1)\n    print(json.dumps({'reject': 'no'}), flush=True)";
    let broken = python(folder.path(), body).unwrap();
    let named = |name: &str| Box::new(Builtin::named(name).unwrap()) as Box<dyn Engine>;
    let mut engines: [Box<dyn Engine>; 3] = [named("jcs"), Box::new(broken), named("python-sort-keys")];
    let found =
        run(&mut engines, &Plan { cases: 3_000, seed: 3, scheme: None, first: false }, &mut |_| {}).unwrap();
    let (engine, asked) = found.given_up[0];
    assert!(engine == 1 && asked < 3_000 && found.given_up.len() == 1, "{:?}", found.given_up);
    assert_eq!(found.counts.generated, 3_000);
    assert!(found.counts.broke < 20, "{}", found.counts.broke);
    assert!(
        found.divergences.iter().any(|found| found.engines == [0, 2]),
        "the others are compared to the end"
    );
    let report = Report::new(&found, 3, Vec::new());
    assert!(report.warnings.iter().any(|warning| warning.starts_with("p broke too often")));
}

/// An engine that takes every text for canonical, beside an adapter whose answer is an expression over `text`.
fn beside_an_echo(adapter: Adapter) -> Found {
    let echo = Builtin::of("echo", "jcs", |text| Answer::bytes(text.to_vec()));
    let mut engines: [Box<dyn Engine>; 2] = [Box::new(echo), Box::new(adapter)];
    run(&mut engines, &Plan { cases: 600, seed: 3, scheme: None, first: false }, &mut |_| {}).unwrap()
}

#[test]
fn what_depends_on_the_text_before_is_shown_with_that_text() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    before = globals().get('kept', text)\n    kept = text\n    print(json.dumps({'ok': (before if text[:1] == b'[' else text).hex()}), flush=True)";
    let found = beside_an_echo(python(folder.path(), body).unwrap());
    let [divergence] = found.divergences.as_slice() else { panic!("{:?}", found.divergences) };
    assert_eq!(divergence.class.as_str(), "engine.unstable");
    let Repeats::After(texts) = &divergence.repeats else { panic!("{:?}", divergence.repeats) };
    assert_eq!((texts.len(), divergence.text[0], divergence.minimal), (1, b'[', false));
    assert_eq!(divergence.answers[1].outcome, Outcome::Bytes(texts[0].clone()));
    let report = Report::new(&found, 3, Vec::new());
    assert!(
        report
            .text()
            .contains("not repeatable alone: it shows when engines just started are asked 1 texts before")
    );
    assert!(report.vectors().vectors.is_empty(), "no vector for others");
}

#[test]
fn what_no_earlier_text_leads_to_is_shown_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("once");
    let body = format!(
        "    flag = '{}'\n    if text[:1] == b'[' and not os.path.exists(flag): open(flag, 'w'); text = b'1'\n    print(json.dumps({{'ok': text.hex()}}), flush=True)",
        flag.display()
    );
    let found = beside_an_echo(python(folder.path(), &body).unwrap());
    let [divergence] = found.divergences.as_slice() else { panic!("{:?}", found.divergences) };
    assert!(matches!(divergence.repeats, Repeats::Never { tried } if tried > 0), "{:?}", divergence.repeats);
    assert!(Report::new(&found, 3, Vec::new()).text().contains("not repeatable alone, nor after the"));
}

#[test]
fn an_engine_that_is_always_late_about_a_text_is_told_from_one_that_waited_for_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    for (late, laws) in [("text == b'null'", vec!["prompt"]), ("text == b'null' and not kept", vec![])] {
        let body = format!(
            "    kept = globals().get('kept') or []\n    if {late}: kept.append(1); time.sleep(1.1)\n    print(json.dumps({{'ok': text.hex()}}), flush=True)"
        );
        let found = beside_an_echo(python(folder.path(), &body).unwrap());
        let broken: Vec<&str> = found.violations.iter().map(|found| found.law.as_str()).collect();
        let broken: Vec<&str> = broken.into_iter().filter(|law| *law == "prompt").collect();
        assert_eq!((broken, found.divergences.len()), (laws, 0));
    }
}

#[test]
fn an_engine_that_is_late_too_often_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let body = "    time.sleep(1.1)\n    print(json.dumps({'ok': text.hex()}), flush=True)";
    let patience = Patience { late: Duration::from_secs(2), ..HASTY };
    let mut adapter = python_with(folder.path(), body, patience).unwrap();
    assert_eq!(adapter.canonicalize(&texts()).len(), 2);
    assert!(adapter.is_given_up());
}

#[test]
fn what_is_not_there_is_absent_and_what_speaks_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = |command: &str| Adapter::start(command, HASTY).err().unwrap();
    assert!(matches!(start("no-such-program-of-anybody"), AdapterError::Absent { .. }));
    assert!(matches!(start("'unclosed"), AdapterError::Command { .. }));
    assert!(matches!(start(""), AdapterError::Command { .. }));
    assert!(matches!(start("true"), AdapterError::Protocol { .. }));
    assert!(matches!(start("echo hello"), AdapterError::Protocol { .. }));
    let missing = folder.path().join("missing.py");
    std::fs::write(&missing, "print('{\"error\":\"no module\"}', flush=True)").unwrap();
    assert!(matches!(start(&format!("python3 '{}'", missing.display())), AdapterError::Absent { .. }));
}

/// The page shows one whole adapter: it is the file, and it works as it stands.
#[test]
fn the_adapter_that_the_page_shows_works() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters");
    let script = folder.join("perl_json_pp.pl");
    let (page, text) = (folder.join("README.md"), std::fs::read_to_string(&script).unwrap());
    assert!(std::fs::read_to_string(page).unwrap().contains(&format!("```perl\n{text}```")));
    let adapter = match Adapter::start(&format!("perl '{}'", script.display()), Patience::default()) {
        Err(AdapterError::Absent { why, .. }) => return println!("skipped: no Perl here ({why})"),
        started => started.unwrap(),
    };
    let mut engines: [Box<dyn Engine>; 2] = [Box::new(adapter), Box::new(Builtin::named("jcs").unwrap())];
    let plan = Plan { cases: 500, seed: 3, scheme: None, first: false };
    let found = run(&mut engines, &plan, &mut |_| {}).unwrap();
    assert!(found.given_up.is_empty() && found.accepted_share() > Found::ENOUGH);
    let classes: Vec<&str> = found.divergences.iter().map(|found| found.class.as_str()).collect();
    assert!(
        classes.contains(&"number.exponent-form") && !classes.contains(&"engine.unstable"),
        "{classes:?}"
    );
}

#[test]
fn the_adapter_for_python_agrees_with_the_scheme_of_that_name() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/python_json.py");
    for (option, scheme) in [("", "python-sort-keys"), ("--utf8", "python-sort-keys-utf8")] {
        let adapter =
            Adapter::start(&format!("python3 '{}' {option}", script.display()), Patience::default()).unwrap();
        assert_eq!(adapter.identity().scheme, scheme);
        let mut engines: [Box<dyn Engine>; 2] =
            [Box::new(adapter), Box::new(Builtin::named(scheme).unwrap())];
        let found =
            run(&mut engines, &Plan { cases: 6_000, seed: 3, scheme: None, first: false }, &mut |_| {})
                .unwrap();
        // Python's reader takes what the strict one refuses; what both take they write alike.
        let differing: Vec<&str> = found
            .divergences
            .iter()
            .filter(|found| found.answers.iter().all(|answer| answer.outcome.bytes().is_some()))
            .map(|found| found.class.as_str())
            .collect();
        assert!(differing.is_empty(), "{differing:?}");
        let refused: Vec<&str> = found.divergences.iter().map(|found| found.class.as_str()).collect();
        assert!(refused.iter().all(|class| ["member.duplicate", "input.lone-surrogate", "input.non-finite"].contains(class)), "{refused:?}");
    }
}
