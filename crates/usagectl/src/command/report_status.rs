//! `status`: how the reporting goes, from what the state keeps.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use usage_reporter::{Consent, Identity, LastSent, State, StateFile};

use super::report::consent;
use crate::cli::StatusArgs;
use crate::failure::Failure;
use crate::outcome_object::ServerIds;
use crate::{output, table, terminal_text};

pub(crate) fn run(args: &StatusArgs, json: bool) -> Result<(), Failure> {
    let consent = consent(&args.consent);
    let now = SystemTime::now();
    let state = StateFile::peek(&args.state)?;
    let last_sent = if args.last { StateFile::peek_last_sent(&args.state)? } else { None };
    if json {
        let object = Object::new(&consent, state.as_ref(), now);
        return Ok(if args.last {
            output::json(&ObjectWithLast { object, last_sent })
        } else {
            output::json(&object)
        }?);
    }
    let rows = rows(&consent, state.as_ref(), now);
    for line in table::align(&rows) {
        output::line(&line)?;
    }
    if args.last {
        output::line("")?;
        last_lines(last_sent.as_ref(), now).iter().try_for_each(|line| output::line(line))?;
    }
    Ok(())
}

/// The report as it left; what a terminal might obey is escaped.
fn last_lines(sent: Option<&LastSent>, now: SystemTime) -> Vec<String> {
    let Some(sent) = sent else {
        return vec!["no usage report was kept: none has left since this file is there".to_owned()];
    };
    let head = format!("sent {}", when(sent.sent(), now));
    let text = sent.to_string();
    [head, String::new()].into_iter().chain(text.lines().map(terminal_text::escape)).collect()
}

fn rows(consent: &Consent, state: Option<&State>, now: SystemTime) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![row("reporting", reporting(consent))];
    let Some(state) = state else {
        rows.push(row("state", "none yet: nothing was ever stored in this file".to_owned()));
        return rows;
    };
    let success = state.acknowledged().map(|then| when(then, now));
    rows.push(row("last success", success.unwrap_or_else(|| "never".to_owned())));
    let due = state.next_due().map(|then| due(then, now));
    rows.push(row("next due", due.unwrap_or_else(|| "not known".to_owned())));
    rows.push(row("failures", failures(state)));
    let (waiting, given_up) = (state.waiting_to_be_forgotten(), state.not_forgotten());
    if !waiting.is_empty() {
        let left = "the API has not done so yet; `usagectl forget` asks again";
        rows.push(row("to be forgotten", format!("{}: {left}", servers(&waiting))));
    }
    if !given_up.is_empty() {
        let left = "nobody is asked any more; `usagectl forget` asks again, or write to the maker";
        rows.push(row("not forgotten", format!("{}: {left}", servers(&given_up))));
    }
    rows
}

/// Their ids, as the maker has them.
fn servers(identities: &[Identity]) -> String {
    let ids = identities.iter().map(|identity| terminal_text::escape(&identity.server_id));
    ids.collect::<Vec<_>>().join(", ")
}

fn reporting(consent: &Consent) -> String {
    let (word, rule) = (word(consent), consent.rule());
    if consent.is_on() {
        format!("{word}: {rule}; to switch it off, {}", consent.to_switch_off())
    } else {
        format!("{word}: {rule}")
    }
}

fn word(consent: &Consent) -> &'static str {
    if consent.is_on() { "on" } else { "off" }
}

fn failures(state: &State) -> String {
    let lost = match state.failures() {
        0 => "none".to_owned(),
        1 => "the last report was given up".to_owned(),
        count => format!("the last {count} reports were given up"),
    };
    match state.unacknowledged_key() {
        Some(_) => format!("{lost}; one was sent, and its answer is not known yet"),
        None => lost,
    }
}

/// When the next report is due. What was missed, by a program that did not run or a machine that
/// slept, is due now.
fn due(then: SystemTime, now: SystemTime) -> String {
    if then > now {
        return when(then, now);
    }
    "now: within minutes if the program runs, or else of its next start".to_owned()
}

/// A time, and how far away it is: `2026-11-25T08:00:00Z, 3h ago`.
fn when(then: SystemTime, now: SystemTime) -> String {
    let away = match now.duration_since(then) {
        Ok(past) => format!("{} ago", coarse(past)),
        Err(future) => format!("in {}", coarse(future.duration())),
    };
    format!("{}, {away}", rfc3339(then))
}

/// Without what nobody asks for: seconds in a day, minutes in a year.
fn coarse(time: Duration) -> String {
    let unit = match time.as_secs() {
        0..=119 => 1,
        120..=172_799 => 60,
        _ => 86_400,
    };
    humantime::format_duration(Duration::from_secs(time.as_secs() / unit * unit)).to_string()
}

/// A clock that was before 1970 is wrong, whatever it said.
fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time.max(SystemTime::UNIX_EPOCH)).to_string()
}

#[derive(Serialize)]
struct Object {
    consent: ConsentObject,
    /// `null` if nothing was ever stored.
    state: Option<StateObject>,
}

#[derive(Serialize)]
struct ObjectWithLast {
    #[serde(flatten)]
    object: Object,
    /// `null` if none was kept.
    last_sent: Option<LastSent>,
}

#[derive(Serialize)]
struct ConsentObject {
    on: bool,
    rule: String,
}

#[derive(Serialize)]
struct StateObject {
    last_success: Option<String>,
    /// Never in the past.
    next_due: Option<String>,
    failures: u64,
    /// A report was sent, and its answer is not known.
    unacknowledged: bool,
    /// What was reported by these is to be erased.
    to_be_forgotten: Vec<ServerIds>,
    /// The same, and nobody is asked any more.
    not_forgotten: Vec<ServerIds>,
}

impl Object {
    fn new(consent: &Consent, state: Option<&State>, now: SystemTime) -> Self {
        let ids = |identities: &[Identity]| identities.iter().map(ServerIds::from).collect();
        let state = state.map(|state| StateObject {
            last_success: state.acknowledged().map(rfc3339),
            next_due: state.next_due().map(|then| rfc3339(then.max(now))),
            failures: state.failures(),
            unacknowledged: state.unacknowledged_key().is_some(),
            to_be_forgotten: ids(&state.waiting_to_be_forgotten()),
            not_forgotten: ids(&state.not_forgotten()),
        });
        let consent = ConsentObject { on: consent.is_on(), rule: consent.rule().to_string() };
        Self { consent, state }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::when;

    #[test]
    fn a_time_says_how_far_away_it_is() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let at = |seconds: i64| match u64::try_from(seconds) {
            Ok(seconds) => when(now + Duration::from_secs(seconds), now),
            Err(_) => when(now - Duration::from_secs(seconds.unsigned_abs()), now),
        };
        assert_eq!(at(-61), "2026-11-18T11:05:39Z, 1m 1s ago");
        assert_eq!(at(-7_384), "2026-11-18T09:03:36Z, 2h 3m ago");
        assert_eq!(at(43_201), "2026-11-18T23:06:41Z, in 12h");
        assert_eq!(at(-300_000), "2026-11-14T23:46:40Z, 3days ago");
        let ancient = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 33);
        assert!(when(ancient, now).starts_with("1970-01-01T00:00:00Z, "));
    }
}
