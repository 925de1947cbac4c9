//! Several implementations beside each other, as pages that link to each other and to nothing else.

use askama::Template;

use crate::comparison::{Cell, Comparison, Implementation, Row};
use crate::difference::difference;
use crate::html::spans;
use crate::model::Status;
use crate::visible::visible;
use crate::words::{Tone, counted};

/// The pages, by path within the site's folder, with `/`.
pub type Site = Vec<(String, String)>;

/// Writes the pages; `titles` are the groups in order, each with what it is called.
///
/// # Errors
/// None that is known: it writes to memory.
pub fn site(comparison: &Comparison, titles: &[(String, String)]) -> Result<Site, askama::Error> {
    let harmless = |page: String| visible(&(page + "\n"), |character| character == '\n').into_owned();
    let index = Index { comparison, groups: groups(comparison, titles) };
    let mut site = vec![("index.html".to_owned(), harmless(index.render()?))];
    for (position, implementation) in comparison.implementations.iter().enumerate() {
        let page = Anomalies::of(comparison, implementation);
        site.push((format!("implementations/{}.html", position + 1), harmless(page.render()?)));
    }
    for row in &comparison.checks {
        let page = Check { comparison, row };
        site.push((format!("checks/{}.html", row.id), harmless(page.render()?)));
    }
    Ok(site)
}

/// A group of rows.
struct Group<'c> {
    title: &'c str,
    rows: Vec<&'c Row>,
}

fn groups<'c>(comparison: &'c Comparison, titles: &'c [(String, String)]) -> Vec<Group<'c>> {
    let mut groups: Vec<(&str, Group<'c>)> =
        titles.iter().map(|(id, title)| (id.as_str(), Group { title, rows: Vec::new() })).collect();
    for row in &comparison.checks {
        match groups.iter_mut().find(|(id, _)| *id == row.group) {
            Some((_, group)) => group.rows.push(row),
            None => groups.push((&row.group, Group { title: &row.group, rows: vec![row] })),
        }
    }
    groups.into_iter().map(|(_, group)| group).filter(|group| !group.rows.is_empty()).collect()
}

fn tone(status: &Status) -> &'static str {
    Tone::of(*status).class()
}

fn verdict(implementation: &Implementation) -> (&'static str, &'static str) {
    match implementation.conformant {
        Some(true) => ("conformant", "good"),
        Some(false) => ("not conformant", "bad"),
        None => ("not evaluated", "open"),
    }
}

#[derive(Template)]
#[template(path = "matrix_index.html")]
struct Index<'c> {
    comparison: &'c Comparison,
    groups: Vec<Group<'c>>,
}

#[derive(Template)]
#[template(path = "matrix_check.html")]
struct Check<'c> {
    comparison: &'c Comparison,
    row: &'c Row,
}

/// What sets one implementation apart.
#[derive(Template)]
#[template(path = "matrix_implementation.html")]
struct Anomalies<'c> {
    implementation: &'c Implementation,
    counted: String,
    /// What sets it apart, and what else it does not pass, the worst first; each with a title, and none empty.
    lists: Vec<(&'static str, Vec<(&'c Row, &'c Cell)>)>,
}

impl<'c> Anomalies<'c> {
    fn of(comparison: &'c Comparison, implementation: &'c Implementation) -> Self {
        let all: Vec<(&Row, &Cell)> = comparison
            .checks
            .iter()
            .filter_map(|row| Some((row, row.results.get(&implementation.name)?)))
            .collect();
        let alone: Vec<(&Row, &Cell)> = all.iter().filter(|(_, cell)| cell.alone).copied().collect();
        let is_told =
            |cell: &Cell| !cell.alone && !matches!(cell.status, Status::Pass | Status::NotApplicable);
        let mut others: Vec<(&Row, &Cell)> = all.into_iter().filter(|(_, cell)| is_told(cell)).collect();
        others.sort_by_key(|(_, cell)| std::cmp::Reverse(Tone::of(cell.status)));
        let rest = if alone.is_empty() { "What it does not pass" } else { "What else it does not pass" };
        let lists = [("Anomalies: it differs from all others, and these agree", alone), (rest, others)];
        let lists = lists.into_iter().filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty()).collect();
        Self { implementation, counted: counted(&implementation.counts), lists }
    }
}
