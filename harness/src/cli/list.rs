//! `assayer list`.

use std::fmt::Write;
use std::path::PathBuf;

use assayer_harness::cases;
use assayer_vectors::{Coverage, SUITE, Suite};
use clap::Args;
use serde_json::json;

use super::{Exit, complain, edition_name, load, print};

#[derive(Args)]
pub(crate) struct ListArguments {
    /// Suite of checks.
    #[arg(long, default_value = SUITE)]
    suite: String,
    /// Edition whose checks are listed.
    #[arg(long, default_value = "strict")]
    edition: String,
    /// List the editions.
    #[arg(long, conflicts_with_all = ["requirements", "faults"])]
    editions: bool,
    /// List the requirements: what each demands, the checks that test it, the faults that these notice, or why no check
    /// does.
    #[arg(long, conflicts_with = "faults")]
    requirements: bool,
    /// List the faults of the reference registry, and the check that must notice each.
    #[arg(long)]
    faults: bool,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
    /// Take the suite from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &ListArguments) -> Exit {
    let (suite_name, edition) = edition_name(&arguments.suite, &arguments.edition);
    let suite = match load(suite_name, arguments.suite_dir.as_deref()) {
        Ok(suite) => suite,
        Err(error) => {
            complain(error);
            return Exit::Usage;
        }
    };
    let rows = if arguments.editions {
        Ok(editions(&suite))
    } else if arguments.requirements {
        Ok(requirements(&suite))
    } else if arguments.faults {
        Ok(faults(&suite))
    } else {
        checks(&suite, edition)
    };
    match rows {
        Ok(rows) if arguments.json => {
            let list: Vec<_> = rows.into_iter().map(|row| row.json).collect();
            print(&format!("{:#}\n", json!(list)))
        }
        Ok(rows) => print(&rows.into_iter().fold(String::new(), |mut text, row| {
            let _ = writeln!(text, "{}", row.text);
            text
        })),
        Err(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

/// One line for people, one value for programs.
struct Row {
    text: String,
    json: serde_json::Value,
}

fn checks(suite: &Suite, name: &str) -> Result<Vec<Row>, String> {
    let edition = assayer_harness::edition(suite, name).map_err(|error| error.to_string())?;
    let rows = cases(suite, edition).into_iter().map(|case| {
        let check = case.check;
        let cited = check.requirements.join(" ");
        Row {
            text: format!(
                "{:<26} {:<45} {:<6} {cited}",
                check.group,
                check.id,
                suite.keyword(check).as_str()
            ),
            json: json!({
                "id": check.id, "group": check.group, "keyword": suite.keyword(check).as_str(),
                "requirements": check.requirements, "why": check.why, "weak": check.weak,
            }),
        }
    });
    Ok(rows.collect())
}

fn editions(suite: &Suite) -> Vec<Row> {
    let rows = suite.editions.iter().map(|edition| Row {
        text: format!(
            "{}@{:<8} {:>3} checks  wire {}  {}",
            suite.name,
            edition.edition,
            edition.checks.len(),
            edition.wire,
            edition.title
        ),
        json: json!({
            "edition": format!("{}@{}", suite.name, edition.edition), "checks": edition.checks.len(),
            "wire": edition.wire, "title": edition.title,
        }),
    });
    rows.collect()
}

fn requirements(suite: &Suite) -> Vec<Row> {
    suite.coverage().iter().map(|coverage| requirement(suite, coverage)).collect()
}

fn requirement(suite: &Suite, coverage: &Coverage<'_>) -> Row {
    let requirement = coverage.requirement;
    let keyword = requirement.keyword.as_str();
    let mut text = format!("{:<28} {keyword:<7} {}", requirement.id, requirement.statement);
    let mut line = |name: &str, words: &str| {
        if !words.is_empty() {
            let _ = write!(text, "\n    {name:<10} {words}");
        }
    };
    let ids = |names: Vec<&str>| names.join(" ");
    let checks: Vec<&str> = coverage.checks.iter().map(|check| check.id.as_str()).collect();
    let faults: Vec<&str> = coverage.faults.iter().map(|fault| fault.id.as_str()).collect();
    let parts: Vec<&str> = coverage.parts.iter().map(|part| part.id.as_str()).collect();
    line("source", requirement.source());
    line("parts", &ids(parts.clone()));
    line("checks", &ids(checks.clone()));
    line("faults", &ids(faults.clone()));
    line("not tested", requirement.not_tested.as_deref().unwrap_or_default());
    line("ambiguous", requirement.ambiguous.as_deref().unwrap_or_default());
    for (name, does) in &requirement.reference_diverges {
        line("diverges", &format!("{name}: {does}"));
    }
    Row {
        text,
        json: json!({
            "id": requirement.id, "keyword": keyword, "statement": requirement.statement,
            "source": requirement.source(), "observable": requirement.observable,
            "not_tested": requirement.not_tested, "ambiguous": requirement.ambiguous,
            "reference_diverges": requirement.reference_diverges, "remark": requirement.remark,
            "parts": parts, "checks": checks, "faults": faults, "tested": suite.is_tested(requirement),
        }),
    }
}

fn faults(suite: &Suite) -> Vec<Row> {
    let rows = suite.faults.iter().map(|fault| Row {
        text: format!("{:<36} {:<42} {}", fault.id, fault.killed_by, fault.does),
        json: json!({"id": fault.id, "does": fault.does, "killed_by": fault.killed_by}),
    });
    rows.collect()
}
