//! The report on evidence as one self-contained page: no script, nothing fetched, for the screen and for paper.

use askama::Template;

use super::model::{Document, Required, Run, State, Summary, Verdict};
use crate::visible::visible;
use crate::words::number_of;

/// How many documents a page has in detail. With more, only those that are not as required are shown; with more of
/// those, the first ones.
pub const HTML_MOST: usize = 500;

/// Collects what a page shows, in memory that does not grow beyond it.
#[derive(Clone, Debug)]
pub struct Page {
    most: usize,
    documents: Vec<(bool, Document)>,
    /// Whether documents that are as required were left out, because there are too many.
    only_bad: bool,
    bad_left_out: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self::of(HTML_MOST)
    }
}

impl Page {
    /// A page that shows at most `most` documents.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most, documents: Vec::new(), only_bad: false, bad_left_out: 0 }
    }

    /// Takes the next document; `good` if it is as required.
    pub fn take(&mut self, document: Document, good: bool) {
        if self.documents.len() >= self.most && !self.only_bad {
            self.only_bad = true;
            self.documents.retain(|(good, _)| !good);
        }
        if good && self.only_bad {
            return;
        }
        if self.documents.len() < self.most {
            self.documents.push((good, document));
        } else {
            self.bad_left_out += 1;
        }
    }

    /// The page.
    ///
    /// # Errors
    /// None that is known: it writes to memory.
    pub fn render(&self, run: &Run, summary: &Summary) -> Result<String, askama::Error> {
        let documents = self.documents.iter().enumerate();
        let template = Html {
            run,
            summary,
            required: required(run.required),
            headline: headline(run, summary),
            headline_class: headline_class(run, summary),
            left_out: self.left_out(summary),
            documents: documents.map(|(position, (_, document))| view(position + 1, document)).collect(),
        };
        let page = template.render()?;
        // Whatever stood in an outside text: the template itself has no such character but the line feed.
        Ok(visible(&page, |character| character == '\n').into_owned())
    }

    fn left_out(&self, summary: &Summary) -> Option<String> {
        let all = summary.documents + summary.unreadable;
        let shown = self.documents.len();
        let is_empty = all == 0;
        let all = number_of(all, "document", "documents");
        match (self.only_bad, self.bad_left_out) {
            _ if is_empty => Some("There was no document to verify.".to_owned()),
            _ if shown == 0 && !self.only_bad => Some("Only the summary was asked for.".to_owned()),
            (false, _) => None,
            (true, 0) => Some(format!("Of {all} only those that are not as required are shown.")),
            (true, more) => Some(format!(
                "Of {all} only the first {shown} that are not as required are shown; {more} more {} not as required.",
                if more == 1 { "is" } else { "are" }
            )),
        }
    }
}

fn required(required: Required) -> &'static str {
    match required {
        Required::Authentic => "authentic: everything required must be established under the keys below",
        Required::Consistent => "consistent: nothing may be refuted",
        Required::Equivocation => {
            "equivocation: every document must prove that its registry contradicted itself"
        }
    }
}

fn bad(run: &Run, summary: &Summary) -> usize {
    let all = summary.documents + summary.unreadable;
    match run.required {
        Required::Authentic => all - summary.authentic + summary.unfavourable,
        Required::Consistent => {
            summary.refuted
                + summary.unknown
                + summary.unreadable
                + summary.accusations
                + summary.unfavourable
        }
        Required::Equivocation => all - summary.equivocation,
    }
}

fn headline(run: &Run, summary: &Summary) -> String {
    let all = summary.documents + summary.unreadable;
    match (all, bad(run, summary)) {
        (0, _) => "Nothing was verified".to_owned(),
        (all, 0) if run.required == Required::Equivocation => {
            format!("{} the registry contradicted itself", counted(all))
        }
        (all, 0) if summary.authentic == all => format!("{} authentic", counted(all)),
        (all, 0) if summary.authentic == 0 => format!("{} consistent, not authentic", counted(all)),
        (all, 0) => format!("{} {} authentic, the others consistent", counted(all), summary.authentic),
        (1, _) if summary.refuted == 1 => "1 document: refuted".to_owned(),
        (1, _) => "1 document: not as required".to_owned(),
        (all, bad) => format!("{bad} of {} not as required", number_of(all, "document", "documents")),
    }
}

fn counted(documents: usize) -> String {
    number_of(documents, "document", "documents") + ":"
}

fn headline_class(run: &Run, summary: &Summary) -> &'static str {
    match bad(run, summary) {
        0 if run.required == Required::Equivocation => "good",
        0 if summary.documents > 0 && summary.authentic == summary.documents => "good",
        0 => "open",
        _ => "bad",
    }
}

fn view(number: usize, document: &Document) -> View<'_> {
    let (verdict, class) = match document.verdict {
        Some(Verdict::Authentic) => ("authentic", "good"),
        Some(Verdict::Consistent) => ("consistent", "open"),
        Some(Verdict::Equivocation) => ("equivocation proved", "bad"),
        Some(Verdict::Refuted) => ("refuted", "bad"),
        None if document.error.is_some() => ("unreadable", "bad"),
        None => ("of no known kind", "bad"),
    };
    View { number, document, verdict, class }
}

/// One document of the page.
struct View<'r> {
    number: usize,
    document: &'r Document,
    verdict: &'static str,
    class: &'static str,
}

impl View<'_> {
    /// Whether it is only for want of something that it is not authentic.
    fn is_open(&self) -> bool {
        self.document.verdict == Some(Verdict::Consistent) && !self.document.open.is_empty()
    }
}

#[derive(Template)]
#[template(path = "verification.html")]
struct Html<'r> {
    run: &'r Run,
    summary: &'r Summary,
    required: &'static str,
    headline: String,
    headline_class: &'static str,
    left_out: Option<String>,
    documents: Vec<View<'r>>,
}

fn class(state: &State) -> &'static str {
    match state {
        State::Established => "good",
        State::NotEstablished => "open",
        State::Refuted => "bad",
    }
}
