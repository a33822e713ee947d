//! When a start asks for numbers first.

use std::time::{Duration, SystemTime};

use usage_reporter::{Config, State};

use super::life::Inherited;
use super::model::has_exact_stamp;

/// How long after the start the first slot begins, if nothing else comes before.
pub(super) struct FirstSlot {
    pub(super) earliest: Duration,
    pub(super) latest: Duration,
    /// It had passed before; unknown if the wall clock is beyond all stamps.
    pub(super) is_late: Option<bool>,
}

impl FirstSlot {
    pub(super) fn new(config: &Config, state: &State, wall: SystemTime) -> Self {
        let (period, jitter) = (config.period, config.jitter);
        let late_by = |by: Duration| Self {
            earliest: Duration::ZERO,
            latest: config.start_spread.min(by),
            is_late: Some(true),
        };
        let since = |then: Option<SystemTime>| then.map(|then| wall.duration_since(then));
        let (acknowledged, drawn) = (since(state.acknowledged()), since(state.next_due()));
        if !has_exact_stamp(wall) {
            return Self { earliest: Duration::ZERO, latest: Duration::MAX, is_late: None };
        }
        if Inherited::is_right(config, state, wall) {
            return late_by(Duration::MAX);
        }
        // Law 4: nothing is sent within a period of an acknowledgement.
        let rest = match acknowledged {
            Some(Ok(ago)) => period.saturating_sub(ago),
            _ => Duration::ZERO,
        };
        // The slot in the state, unless no slot is that far ahead.
        let ahead = match &drawn {
            Some(Err(ahead)) => Some(ahead.duration()),
            Some(Ok(Duration::ZERO)) => Some(Duration::ZERO),
            _ => None,
        };
        let furthest = period.saturating_add(jitter);
        if let Some(left) = ahead.filter(|left| *left <= furthest && *left >= rest) {
            return Self { earliest: left, latest: left, is_late: Some(false) };
        }
        if !rest.is_zero() {
            let latest = rest.saturating_add(jitter);
            return Self { earliest: rest, latest, is_late: Some(false) };
        }
        match (drawn, acknowledged) {
            (Some(Ok(ago)), _) => late_by(ago),
            (_, Some(_)) => late_by(Duration::MAX),
            (_, None) => Self { earliest: Duration::ZERO, latest: period, is_late: Some(false) },
        }
    }
}
