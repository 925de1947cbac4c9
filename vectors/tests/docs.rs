//! The tables of `docs/spec-editors.md` are those of the data. `ASSAYER_BLESS=1 cargo test -p assayer-vectors` writes them
//! anew.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::PathBuf;

use assayer_vectors::{Observable, Requirement, SUITE, Suite, load_embedded};

#[test]
fn the_tables_of_the_book_are_those_of_the_data() {
    let suite = load_embedded(SUITE).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/spec-editors.md");
    let written = fs::read_to_string(&path).unwrap();
    let tables =
        [("ambiguous", ambiguous(&suite)), ("diverges", diverges(&suite)), ("sentences", sentences(&suite))];
    let text = tables.iter().fold(written.clone(), |text, (name, table)| filled(&text, name, table));
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
        return;
    }
    assert_eq!(
        written, text,
        "docs/spec-editors.md is stale: ASSAYER_BLESS=1 cargo test -p assayer-vectors --test docs"
    );
}

/// The text with the table between its two marks replaced.
fn filled(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{begin}{table}<!-- end -->{after}")
}

fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    let columns = head.matches('|').count() - 1;
    let rule = format!("|{}", "---|".repeat(columns));
    [head.to_owned(), rule].into_iter().chain(rows).map(|line| line + "\n").collect()
}

fn ambiguous(suite: &Suite) -> String {
    let row = |requirement: &Requirement| {
        let text = requirement.ambiguous.as_ref()?;
        Some(format!("| {} | {} | {text} |", requirement.id, requirement.keyword.as_str()))
    };
    table("| id | keyword | what |", suite.requirements.iter().filter_map(row))
}

fn diverges(suite: &Suite) -> String {
    let rows = suite.requirements.iter().flat_map(|requirement| {
        requirement.reference_diverges.iter().map(|(name, does)| {
            let name = suite.implementations.get(name).unwrap();
            format!("| {} | {} | {name} | {does} |", requirement.id, requirement.keyword.as_str())
        })
    });
    table("| id | keyword | who | what it does |", rows)
}

fn sentences(suite: &Suite) -> String {
    let rows = suite.requirements.iter().map(|requirement| {
        let has_parts = suite.requirements.iter().any(|part| part.whole() == Some(requirement.id.as_str()));
        let tested = match &requirement.not_tested {
            _ if suite.is_tested(requirement) => "yes".to_owned(),
            Some(why) => format!("no: {why}"),
            None if has_parts => "through its parts".to_owned(),
            None => "allows, forbids nothing".to_owned(),
        };
        let observable = if requirement.observable == Observable::Wire { "yes" } else { "no" };
        let Requirement { id, statement, keyword, .. } = requirement;
        format!(
            "| {id} | {} | {statement} | {} | {observable} | {tested} |",
            keyword.as_str(),
            requirement.source()
        )
    });
    table("| id | keyword | sentence | source | on the wire | tested |", rows)
}
