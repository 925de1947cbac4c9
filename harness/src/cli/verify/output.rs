//! What `assayer verify` prints, document by document, and the exit code that follows.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use assayer_harness::evidence::{ARRAY, Depth, Finding, Joined, Unreadable, dump, report_of};
use assayer_reports::number_of;
use assayer_reports::verification::{
    Document, Page, Required, Run, Summary, Tally, brief_text, complaint, document_text, json_begin,
    json_document, json_end, json_line, summary_text,
};

use super::progress::Progress;
use super::{Format, VerifyArguments};
use crate::cli::{Exit, complain, print};

/// Prints findings as they come, and keeps the count.
pub(super) struct Output<'a> {
    arguments: &'a VerifyArguments,
    run: Run,
    started: Instant,
    progress: Progress,
    tally: Tally,
    bad: usize,
    page: Page,
    /// The first document, as text: in full if it stays the only one.
    first: Option<(Document, bool)>,
    /// How many documents were printed.
    written: usize,
    stopped: bool,
    /// The first failure to print.
    printed: Exit,
}

impl<'a> Output<'a> {
    pub(super) fn new(arguments: &'a VerifyArguments, run: Run) -> Self {
        let tally = Tally::new(run.required, &run.trust.layers);
        let mut output = Self {
            arguments,
            run,
            started: Instant::now(),
            progress: Progress::over(&arguments.paths),
            tally,
            bad: 0,
            page: Page::default(),
            first: None,
            written: 0,
            stopped: false,
            printed: Exit::Good,
        };
        if arguments.format == Format::Json {
            output.print(&json_begin(&output.run));
        }
        output
    }

    /// Takes the next outcome; `done` says how many bytes were read.
    pub(super) fn take(&mut self, outcome: Result<Joined, Unreadable>, done: &AtomicU64) -> ControlFlow<()> {
        let document = match outcome {
            Ok(Joined::Finding(finding)) => self.report(finding),
            Ok(Joined::Claim(found)) => *found,
            Ok(Joined::Skipped(skipped)) => {
                self.complain(&skipped.path, &format!("left out, {}", skipped.why));
                self.tally.skip();
                return ControlFlow::Continue(());
            }
            Err(unreadable) => Document::from(unreadable),
        };
        let flow = self.document_of(document);
        self.progress.advance(done, self.tally.documents(), self.bad);
        flow
    }

    /// Takes a document that was verified.
    pub(super) fn document_of(&mut self, document: Document) -> ControlFlow<()> {
        if let Some(error) = &document.error {
            self.complain(&document.path, error);
        }
        if let Some(found) = found_instead(&document) {
            self.complain(&document.path, &format!("expected a document of a known kind, found {found}"));
        }
        let good = self.tally.take(&document);
        self.bad += usize::from(!good);
        if !self.arguments.summary_only {
            self.document(document, good);
        }
        if good || !self.arguments.fail_fast {
            return ControlFlow::Continue(());
        }
        self.stopped = true;
        ControlFlow::Break(())
    }

    fn report(&mut self, finding: Finding) -> Document {
        if let (Some(folder), Some(explanation)) = (&self.arguments.dump_bytes, &finding.explanation)
            && let Err(error) = dump(folder, &finding.path, explanation)
        {
            complain(error);
            self.printed = Exit::Usage;
        }
        let explained = self.arguments.explain || self.arguments.format == Format::Html;
        let depth = if explained { Depth::Explained } else { Depth::Verdict };
        report_of(finding, depth, &self.run.trust.layers)
    }

    fn document(&mut self, document: Document, good: bool) {
        match self.arguments.format {
            Format::Html => return self.page.take(document, good),
            Format::Text => self.text(document, good),
            Format::Ndjson => self.print(&json_line(&document)),
            Format::Json => self.print(&json_document(&document, self.written)),
        }
        self.written += 1;
    }

    /// A single document has all its layers, one of several a line, or what is wrong with it; with `--explain` all have all.
    fn text(&mut self, document: Document, good: bool) {
        if self.written == 0 {
            self.first = Some((document, good));
            return;
        }
        if let Some((first, good)) = self.first.take() {
            self.several(&first, good);
        }
        self.several(&document, good);
    }

    fn several(&mut self, document: &Document, good: bool) {
        let full = self.arguments.explain;
        let text = if full { document_text(document) } else { brief_text(document, good) };
        self.print(&text);
    }

    fn complain(&self, path: &str, what: &str) {
        self.progress.aside(|| complain(complaint(path, what)));
    }

    fn print(&mut self, text: &str) {
        let printed = self.progress.print(|| print(text));
        if self.printed == Exit::Good {
            self.printed = printed;
        }
    }

    pub(super) fn finish(mut self) -> Exit {
        self.progress.finish();
        let summary = self.tally.summary(self.started.elapsed(), self.stopped);
        let several = summary.documents + summary.unreadable != 1;
        if let Some((only, _)) = self.first.take() {
            self.print(&document_text(&only));
        }
        match self.arguments.format {
            Format::Json => self.print(&json_end(&summary)),
            Format::Html => match self.page.render(&self.run, &summary) {
                Ok(page) => self.print(&page),
                Err(error) => {
                    complain(error);
                    return Exit::Fault;
                }
            },
            Format::Text if several || self.arguments.summary_only => self.print(&summary_text(&summary)),
            Format::Text | Format::Ndjson => {}
        }
        if several && matches!(self.arguments.format, Format::Html | Format::Ndjson) {
            anstream::eprint!("{}", summary_text(&summary));
        }
        match self.printed {
            Exit::Good => self.demands_met(&summary),
            failed => failed,
        }
    }

    /// A layer that the policy requires and that none of the documents can have makes the policy one for other documents. Who
    /// asks for proofs of equivocation asks for no layer of anything else.
    fn demands_met(&self, summary: &Summary) -> Exit {
        let exit = verdict(summary, self.run.required);
        let unmet = summary.demands.iter().filter(|demand| demand.asked == 0);
        let unmet: Vec<&str> = unmet.map(|demand| &*demand.layer).collect();
        let equivocation = self.run.required == Required::Equivocation;
        if unmet.is_empty() || exit != Exit::Good || self.stopped || equivocation {
            return exit;
        }
        let layers = unmet.join("`, `");
        complain(format!("the policy requires `{layers}`, which is no layer of any of these documents"));
        Exit::Usage
    }
}

/// What was found where a document of a known kind was expected, if more can be said than that it is of none.
fn found_instead(document: &Document) -> Option<&str> {
    let kind = document.layers.iter().find(|layer| layer.id == "kind")?;
    kind.found.as_deref().filter(|found| found.starts_with(ARRAY))
}

/// The exit code that follows from the counts: what is refuted or short of what is required weighs more than what could not
/// be read or is of no known kind.
fn verdict(summary: &Summary, required: Required) -> Exit {
    let judged = summary.documents - summary.unknown;
    let (reached, name) = match required {
        Required::Consistent => (judged - summary.unmet, "what the policy requires"),
        Required::Authentic => (summary.authentic, "authentic"),
        Required::Equivocation => (summary.equivocation, "proofs of equivocation"),
    };
    let short = judged - reached;
    let accused = summary.accusations > 0 && required != Required::Equivocation;
    if accused {
        complain("a proof of equivocation is not refuted: its registry is not as it must be");
    }
    if summary.unfavourable > 0 {
        complain("a claim does not say that its target conforms");
    }
    if summary.refuted > 0 || summary.unfavourable > 0 || accused {
        Exit::Bad
    } else if short > 0 {
        let are = if short == 1 { "is" } else { "are" };
        let all = number_of(summary.documents, "document", "documents");
        complain(format!("{short} of {all} {are} not {name}"));
        Exit::Bad
    } else if summary.unreadable > 0 || summary.unknown > 0 || summary.documents == 0 {
        Exit::Usage
    } else {
        Exit::Good
    }
}
