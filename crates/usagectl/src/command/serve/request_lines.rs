//! What the log says of a request.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use usage_server::{Refused, RequestLog};

use crate::cli::LogFormat;
use crate::log_thread::{self, Form};

use super::configuration::Configuration;

/// How much of a method is shown, in bytes: a client may make up one of any length.
const LONGEST_METHOD: usize = 32;

/// Whether addresses are logged; the form is the log's own.
#[derive(Debug, Default)]
pub(super) struct RequestLines {
    addresses: AtomicBool,
}

impl RequestLines {
    /// From here on lines look as the configuration says.
    pub(super) fn configure(&self, configuration: &Configuration) {
        log_thread::set_form(match configuration.log_format {
            LogFormat::Text => Form::Text,
            LogFormat::Json => Form::Json,
        });
        self.addresses.store(configuration.log_addresses, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, request: &RequestLog) {
        let address = request.address.filter(|_| self.addresses.load(Ordering::Relaxed));
        match log_thread::form() {
            Form::Text => match address {
                None => log_thread::display_now(request),
                Some(address) => {
                    log_thread::display_now(&format_args!("{request}, from {address}"));
                }
            },
            Form::Json => log_thread::object_now(&line(request, address)),
        }
    }
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    /// `null` if the client went away before there was an answer.
    status: Option<u16>,
    duration_ms: f64,
    body_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
}

fn line(request: &RequestLog, address: Option<IpAddr>) -> Line<'_> {
    let method = request.method.as_str();
    Line {
        method: method.get(..LONGEST_METHOD).unwrap_or(method),
        path: &request.path,
        status: request.status.map(|status| status.as_u16()),
        // Whole microseconds.
        duration_ms: (request.duration.as_secs_f64() * 1e6).round() / 1e3,
        body_bytes: request.body_bytes,
        organisation: request.organisation.as_deref(),
        refused: request.refused.map(Refused::as_str),
        failure: request.failure.as_deref(),
        address,
    }
}
