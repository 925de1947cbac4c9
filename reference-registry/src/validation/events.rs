//! Events: the row, its leaf, and the order of both.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    Class, TOLERANCE, Validation, digits, files, manifests, note::Note, number, seconds, shown, text,
};
use crate::{lossless::Json, published};

/// A row of `events`; a column of another type counts as absent.
struct Event {
    name: String,
    token_id: Option<String>,
    file_id: Option<String>,
    recipient_id: Option<String>,
    issuer_id: Option<String>,
    kind: Option<String>,
    source_ip: Option<String>,
    user_agent: Option<String>,
    extra: Option<String>,
    timestamp: Option<i64>,
    qualified_timestamp: Option<String>,
    tlog_index: Option<i64>,
}

impl Event {
    fn read(row: &Row<'_>) -> Self {
        Self {
            name: format!("id={}", number(row, 0).map_or_else(|| String::from("?"), |id| id.to_string())),
            token_id: text(row, 1),
            file_id: text(row, 2),
            recipient_id: text(row, 3),
            issuer_id: text(row, 4),
            kind: text(row, 5),
            source_ip: text(row, 6),
            user_agent: text(row, 7),
            extra: text(row, 8),
            timestamp: number(row, 9),
            qualified_timestamp: text(row, 10),
            tlog_index: number(row, 11),
        }
    }

    fn is_dns(&self) -> bool {
        self.kind.as_deref() == Some("dns")
    }
}

pub(super) fn all(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT id, token_id, file_id, recipient_id, issuer_id, kind, source_ip, user_agent, extra, timestamp,
             qualified_timestamp, tlog_index FROM r_events ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let event = Event::read(row);
        is_of_its_file(connection, &event, validation)?;
        has_a_token_of_its_file(connection, &event, validation)?;
        has_columns_of_its_kind(&event, validation);
        has_one_time(&event, validation);
        has_its_leaf(connection, &event, validation)?;
    }
    no_leaf_twice(connection, validation)?;
    no_leaf_without_event(connection, validation)?;
    are_numbered_like_their_leaves(connection, validation)?;
    ids_are_complete(connection, validation)
}

fn is_of_its_file(
    connection: &Connection,
    event: &Event,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let found = (event.recipient_id.clone(), event.issuer_id.clone());
    let Some(file_id) = &event.file_id else {
        if found != (None, None) {
            let why = files::different(&found, &(None, None));
            validation.fail(Class::EventIdentityMismatches, "events", event.name.clone(), why);
        }
        return Ok(());
    };
    let Some(expected) = files::owner(connection, file_id)? else {
        let why = format!("no manifest has file_id {}", shown(Some(file_id)));
        validation.fail(Class::OrphanEvents, "events", event.name.clone(), why);
        return Ok(());
    };
    if found == expected {
        return Ok(());
    }
    match manifests::Registrations::of(connection, file_id, validation).before(event.tlog_index, &found)? {
        true => {
            let name = &event.name;
            validation.note(
                Note::EarlierRegistration,
                format!("events: {name} is of an earlier registration of {file_id}"),
            );
        }
        false => {
            let why = files::different(&found, &expected);
            validation.fail(Class::EventIdentityMismatches, "events", event.name.clone(), why);
        }
    }
    Ok(())
}

/// A token belongs to the file that lists it, from its registration on. Of a file that was registered more than once, only the
/// last manifest is known, and nothing can be said of what others listed.
fn has_a_token_of_its_file(
    connection: &Connection,
    event: &Event,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let (Some(token_id), Some(index)) = (&event.token_id, event.tlog_index) else { return Ok(()) };
    let why = match &event.file_id {
        Some(file_id) => {
            let file = manifests::Listing::of(connection, file_id)?;
            match file.registered_at {
                Some(first) if first > index => Some(format!(
                    "leaf {index} stands before leaf {first}, with which {file_id} was registered"
                )),
                _ if file.is_known && !file.lists(connection, token_id)? => {
                    Some(format!("the manifest of {file_id} does not list {token_id}"))
                }
                _ => None,
            }
        }
        None => manifests::registered_before(connection, token_id, index)?
            .map(|file_id| format!("{token_id} is a token of {file_id}, which was registered before")),
    };
    if let Some(why) = why {
        validation.fail(Class::EventTokenMismatches, "events", event.name.clone(), why);
    }
    Ok(())
}

/// As the wire has them (fact sheet, section 1.4).
const KINDS: [&str; 4] = ["dns", "http_img", "license", "ocsp"];

fn has_columns_of_its_kind(event: &Event, validation: &mut Validation) {
    if !event.kind.as_deref().is_some_and(|kind| KINDS.contains(&kind)) {
        let why = format!("kind is {}, expected one of {}", shown(event.kind.as_deref()), KINDS.join(", "));
        validation.fail(Class::EventColumnMismatches, "events", event.name.clone(), why);
    }
    if event.is_dns() && event.user_agent.as_deref() != Some("") {
        let why =
            format!("user_agent of a dns event is {}, expected \"\"", shown(event.user_agent.as_deref()));
        validation.fail(Class::EventColumnMismatches, "events", event.name.clone(), why);
    }
    has_extra(event, validation);
}

fn has_extra(event: &Event, validation: &mut Validation) {
    let text = event.extra.as_deref().unwrap_or_default().trim();
    let read = Json::read_own(text);
    if let (Err(error), false) = (&read, text.is_empty()) {
        return validation.fail(
            Class::MalformedEventExtraJson,
            "events",
            event.name.clone(),
            error.to_string(),
        );
    }
    let expected: &[&str] = if event.is_dns() { &["qname", "qtype"] } else { &[] };
    let names = match read {
        Ok(read @ Json::Object(_))
            if !published::is_as_stored(&read, event.extra.as_deref().unwrap_or_default()) =>
        {
            None
        }
        Ok(Json::Object(members)) => {
            let mut names: Vec<String> = members.into_iter().map(|(name, _)| name).collect();
            names.sort();
            Some(names)
        }
        _ => None,
    };
    if names.as_deref().is_none_or(|names| names != expected) {
        let kind = event.kind.as_deref().unwrap_or("?");
        let why = format!("extra of a {kind} event is {}", shown(event.extra.as_deref()));
        validation.fail(Class::EventColumnMismatches, "events", event.name.clone(), why);
    }
}

fn has_one_time(event: &Event, validation: &mut Validation) {
    let at = event.qualified_timestamp.as_deref().and_then(seconds);
    let tolerance = validation.tolerance().unsigned_abs();
    let is_one = at.zip(event.timestamp).is_some_and(|(a, b)| a.abs_diff(b) <= tolerance);
    if !is_one {
        let why = format!(
            "timestamp is {}, qualified_timestamp {}",
            digits(event.timestamp),
            shown(event.qualified_timestamp.as_deref())
        );
        validation.fail(Class::EventTimeMismatches, "events", event.name.clone(), why);
    }
}

fn has_its_leaf(connection: &Connection, event: &Event, validation: &mut Validation) -> rusqlite::Result<()> {
    let size = i64::try_from(validation.log_size).unwrap_or(i64::MAX);
    let (class, why) = match event.tlog_index {
        None => (Class::EventsWithoutTlogIndex, String::from("tlog_index is no integer")),
        Some(index) if index < 0 => (Class::NegativeEventTlogIndexes, format!("tlog_index is {index}")),
        Some(index) if index >= size => {
            (Class::EventTlogIndexesOutOfRange, format!("tlog_index is {index}, the log has {size} leaves"))
        }
        Some(index) => match difference(connection, event, index)? {
            Some(why) => (Class::EventTlogLeafMismatches, format!("leaf {index}: {why}")),
            None => return Ok(()),
        },
    };
    validation.fail(class, "events", event.name.clone(), why);
    Ok(())
}

/// What the leaf says otherwise than the row.
fn difference(connection: &Connection, event: &Event, index: i64) -> rusqlite::Result<Option<String>> {
    let leaf: Option<(String, bool)> = connection
        .prepare_cached("SELECT text, is_true FROM temp.leaves WHERE position = ?1")?
        .query_row([index], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((Ok(leaf), is_true)) = leaf.map(|(text, is_true)| (Json::read(&text), is_true)) else {
        return Ok(Some(String::from("is not readable")));
    };
    if !is_true {
        return Ok(Some(String::from("has a text that is not that of its bytes")));
    }
    let extra = event.extra.as_deref().and_then(|text| Json::read(text).ok());
    let of_extra = |name: &str| extra.as_ref().and_then(|extra| extra.text_of(name));
    let mut expected = vec![
        ("event", Some("beacon")),
        ("kind", event.kind.as_deref()),
        ("token_id", event.token_id.as_deref()),
        ("file_id", event.file_id.as_deref()),
        ("recipient_id", event.recipient_id.as_deref()),
        ("source_ip", event.source_ip.as_deref()),
        ("timestamp", event.qualified_timestamp.as_deref()),
    ];
    match event.is_dns() {
        true => expected.extend([("qname", of_extra("qname")), ("qtype", of_extra("qtype"))]),
        false => expected.push(("user_agent", event.user_agent.as_deref())),
    }
    let differs = expected.into_iter().find(|(name, text)| leaf.text_of(name) != *text);
    Ok(differs.map(|(name, text)| {
        let found = leaf.get(name).map_or_else(|| String::from("absent"), ToString::to_string);
        format!("{name} is {found}, the row says {}", shown(text))
    }))
}

fn no_leaf_twice(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT id, tlog_index FROM r_events e WHERE typeof(tlog_index) = 'integer'
             AND EXISTS (SELECT 1 FROM r_events f WHERE f.tlog_index = e.tlog_index AND f.rowid < e.rowid) ORDER BY rowid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, index) = (number(row, 0).unwrap_or_default(), number(row, 1).unwrap_or_default());
        let why = format!("an earlier event has tlog_index {index} too");
        validation.fail(Class::DuplicateEventTlogIndexes, "events", format!("id={id}"), why);
    }
    Ok(())
}

fn no_leaf_without_event(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT position FROM temp.leaves WHERE event = 'beacon'
             AND NOT EXISTS (SELECT 1 FROM r_events WHERE tlog_index = position) ORDER BY position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let position: i64 = row.get(0)?;
        let why = "the leaf is that of an event, and no event has its index";
        validation.fail(Class::BeaconLeavesWithoutEvent, "log", format!("leaf {position}"), why);
    }
    Ok(())
}

/// Rows are numbered as their leaves are appended. Published registries do the two one after the other, so that events of one moment
/// can change places (fact sheet, section 7).
fn are_numbered_like_their_leaves(
    connection: &Connection,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT id, tlog_index, timestamp, before, at FROM (
             SELECT id, tlog_index, timestamp, lag(tlog_index) OVER (ORDER BY id) AS before, lag(timestamp) OVER (ORDER BY id) AS at
             FROM r_events WHERE typeof(tlog_index) = 'integer') WHERE before > tlog_index ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let of = |column| number(row, column).unwrap_or_default();
        let why = format!("its leaf is {}, that of the event before it {}", of(1), of(3));
        match !validation.is_born_here && of(2).abs_diff(of(4)) <= TOLERANCE.unsigned_abs() {
            true => validation.note(Note::EventsRaced, format!("events: id={}: {why}", of(0))),
            false => validation.fail(Class::EventOrderMismatches, "events", format!("id={}", of(0)), why),
        }
    }
    Ok(())
}

/// SQLite gives out the numbers one by one and keeps the last: a number that is missing was deleted.
fn ids_are_complete(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM main.sqlite_sequence WHERE name = 'events'", [], |row| row.get(0))
        .unwrap_or(0);
    if kept > 1 {
        let why = format!("SQLite keeps {kept} last numbers, expected one");
        validation.fail(Class::EventIdGaps, "sqlite_sequence", "name=events", why);
    }
    let last: Option<i64> = connection
        .query_row("SELECT seq FROM main.sqlite_sequence WHERE name = 'events'", [], |row| row.get(0))
        .optional()
        .unwrap_or(None);
    let mut statement =
        connection.prepare("SELECT id FROM r_events WHERE typeof(id) = 'integer' ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut expected = 1;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if id != expected {
            let why = format!("expected number {expected}");
            validation.fail(Class::EventIdGaps, "events", format!("id={id}"), why);
        }
        expected = id.saturating_add(1);
    }
    let gap = match last {
        Some(last) if last.saturating_add(1) != expected => format!("the last number given out is {last}"),
        None if expected > 1 => String::from("SQLite does not know any more which number it gave out last"),
        _ => return Ok(()),
    };
    validation.fail(Class::EventIdGaps, "events", format!("id={}", expected - 1), gap);
    Ok(())
}
