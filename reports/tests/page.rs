//! The page for auditors, as it was last looked at. `ASSAYER_BLESS=1 cargo test -p assayer-reports --test page` writes it
//! anew: look at it in a browser, narrow and wide, before you commit it.

use std::time::Duration;

use assayer_reports::Tool;
use assayer_reports::verification::{
    Bytes, Claimed, Difference, Document, Explained, Key, Layer, Note, Origin, Page, Required, Run, State,
    Tally, Text, Trusted, Verdict,
};

fn run() -> Run {
    Run {
        tool: Tool { name: "assayer".to_owned(), version: "0.0.0".to_owned() },
        at: "2026-01-01T00:00:00Z".to_owned(),
        required: Required::Authentic,
        trust: Trusted {
            registry_keys: vec![
                "b66d7d656568595fb75a2b51a617c83702ba0199aa86553883215f6694390a57".to_owned(),
            ],
            ..Trusted::default()
        },
    }
}

fn layer(id: &'static str, state: State) -> Layer {
    let (code, meaning) = match state {
        State::Established => ("ok", "recomputed and agrees"),
        State::NotEstablished => ("key.not-pinned", "no trusted key was given to compare with"),
        State::Refuted => {
            ("head.message-differs", "the message said to be signed does not restate size and root")
        }
    };
    let open = state != State::Established;
    Layer {
        id: Text::Borrowed(id),
        state,
        code: Text::Borrowed(code),
        at: if open { "/tlog_head/signed_message".to_owned() } else { String::new() },
        expected: open.then(|| "{\"root\":\"00\",\"size\":1}".to_owned()),
        found: open.then(|| "{\"root\":\"01\",\"size\":1} & <b>more</b>".to_owned()),
        problems: (state == State::Refuted).then_some(2),
        schemes: vec![Text::Borrowed("jcs"), Text::Borrowed("serde-jcs-0.1")],
        readings: Vec::new(),
        notes: vec![Note {
            code: Text::Borrowed("interop.hex-spelling"),
            at: "/tlog_head".to_owned(),
            text: "upper case".to_owned(),
        }],
        meaning: Text::Borrowed(meaning),
        explained: Some(Box::new(explained(state))),
    }
}

fn explained(state: State) -> Explained {
    let difference = Difference {
        with: "signed_message in the document".to_owned(),
        offset: 9,
        at: "/root".to_owned(),
        from: 0,
        recomputed_hex: "7b22".to_owned(),
        recomputed_text: "{\"".to_owned(),
        other_hex: "7b23".to_owned(),
        other_text: "{#".to_owned(),
    };
    let bytes = Bytes {
        what: "the signed text of size and root".to_owned(),
        at: "/tlog_head".to_owned(),
        length: 22,
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        schemes: vec![Text::Borrowed("jcs")],
        readings: Vec::new(),
        fits: Some(state == State::Established),
        difference: (state == State::Refuted).then_some(difference),
    };
    Explained {
        rule: Text::Borrowed("fact sheet 1.3"),
        recomputed: "22 bytes".to_owned(),
        establishes: Text::Borrowed("The registry's key signed this size and this root of its log."),
        does_not_establish: Text::Borrowed("It does not show that others were shown the same head."),
        keys: vec![Key { key: "b66d7d65".repeat(8), at: "/registry_pub".to_owned(), origin: Origin::Pinned }],
        bytes: vec![bytes],
        more: 1,
    }
}

fn claimed() -> Claimed {
    Claimed {
        result: "PASSED".to_owned(),
        target: "https://registry.example".to_owned(),
        edition: "oversight-v1@strict".to_owned(),
        suite_digest: "592f52b6".repeat(8),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        target_signed: Some(1),
        verdicts: Some(430),
    }
}

fn document(number: usize, verdict: Option<Verdict>) -> Document {
    let state = match verdict {
        Some(Verdict::Authentic | Verdict::Equivocation) => State::Established,
        Some(Verdict::Consistent) | None => State::NotEstablished,
        Some(Verdict::Refuted) => State::Refuted,
    };
    Document {
        path: format!("evidence/\u{202e}{number}<i>.json"),
        kind: Text::Borrowed("oversight-bundle"),
        verdict,
        error: None,
        length: Some(9_400),
        sha256: Some("00ff".repeat(16)),
        claim: (verdict == Some(Verdict::Consistent)).then(claimed),
        not_asked: Vec::new(),
        open: if verdict == Some(Verdict::Consistent) {
            vec![Text::Borrowed("issuer-key")]
        } else {
            Vec::new()
        },
        layers: vec![layer("json", State::Established), layer("tree-head", state)],
    }
}

fn page(
    most: usize,
    verdicts: impl IntoIterator<Item = Option<Verdict>>,
) -> Result<String, Box<dyn std::error::Error>> {
    let (mut page, mut tally) = (Page::of(most), Tally::new(Required::Authentic, &[]));
    for (position, verdict) in verdicts.into_iter().enumerate() {
        let document = document(position + 1, verdict);
        let good = tally.take(&document);
        page.take(document, good);
    }
    let unreadable = Document::unreadable("no-such.json".to_owned(), "no such file".to_owned());
    let good = tally.take(&unreadable);
    page.take(unreadable, good);
    Ok(page.render(&run(), &tally.summary(Duration::ZERO, false))?)
}

const ALL: [Option<Verdict>; 4] =
    [Some(Verdict::Authentic), Some(Verdict::Consistent), Some(Verdict::Refuted), None];

#[test]
fn the_page_is_the_one_that_was_looked_at() -> Result<(), Box<dyn std::error::Error>> {
    let path = format!("{}/tests/page.html", env!("CARGO_MANIFEST_DIR"));
    let page = page(10, ALL)?;
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        std::fs::write(&path, &page)?;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert!(page == kept, "{path} is stale, first at {differs:?}");
    Ok(())
}

#[test]
fn a_page_has_bounds_and_says_what_it_leaves_out() -> Result<(), Box<dyn std::error::Error>> {
    let many = |good: usize, bad: usize| {
        let verdicts = std::iter::repeat_n(Some(Verdict::Authentic), good);
        verdicts.chain(std::iter::repeat_n(Some(Verdict::Refuted), bad))
    };
    let articles = |page: &str| page.matches("<article").count();
    // One more is unreadable in each case.
    let all = page(10, many(5, 3))?;
    assert_eq!((articles(&all), all.contains("are shown")), (9, false));
    let only_bad = page(10, many(50, 3))?;
    assert_eq!(articles(&only_bad), 4);
    assert!(only_bad.contains("Of 54 documents only those that are not as required are shown."));
    assert!(only_bad.contains("4 of 54 documents not as required"));
    let first = page(10, many(5, 30))?;
    assert_eq!(articles(&first), 10);
    assert!(
        first.contains("only the first 10 that are not as required are shown; 21 more are not as required")
    );
    Ok(())
}
