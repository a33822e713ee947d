//! One report on its way.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use usage_proto::{Api, BuildError, Error, IdempotencyKey, Saveable};

use crate::report_kind::ReportKind;

/// A payload as it travels. Encoding runs code of the payload's author, for as long as that takes:
/// it needs no more of a reporter than its API.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    kind: ReportKind,
    segments: Box<[Box<str>]>,
    body: Bytes,
}

impl Encoded {
    /// Encodes `payload`, once for all attempts.
    pub(crate) fn new<P: Saveable + ?Sized>(
        kind: ReportKind,
        api: &Api,
        payload: &P,
    ) -> Result<Self, BuildError> {
        let body = api.build_request(payload)?.into_body();
        let segments = payload.segments().into_iter().map(|segment| segment.as_ref().into());
        Ok(Self { kind, segments: segments.collect(), body })
    }

    pub(crate) fn kind(&self) -> ReportKind {
        self.kind
    }

    /// How much of the pending bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.body.len() + self.segments.iter().map(|segment| segment.len()).sum::<usize>()
    }
}

/// A report that was taken and is neither delivered nor lost.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    encoded: Encoded,
    /// Drawn when it is first sent.
    pub(crate) key: Option<IdempotencyKey>,
    /// How many attempts have failed.
    pub(crate) attempts: u32,
    /// What the last of them ran into.
    pub(crate) error: Option<Arc<Error>>,
    pub(crate) not_before: Instant,
    /// It has had its attempts, and gets as many when the next slot begins.
    pub(crate) in_next_slot: bool,
    /// It has had all its attempts before: fresh usage is worth more.
    pub(crate) is_late: bool,
    /// The clock of the host may have been to blame for a failure: it has had its second chance.
    pub(crate) clock_was_blamed: bool,
    /// Where it may have arrived. Sent elsewhere, or with another token, the same key would name
    /// another report, and it could be counted twice.
    pub(crate) bound_to: Option<Arc<Api>>,
}

impl Report {
    pub(crate) fn new(encoded: Encoded, not_before: Instant) -> Self {
        Self {
            encoded,
            key: None,
            attempts: 0,
            error: None,
            not_before,
            in_next_slot: false,
            is_late: false,
            clock_was_blamed: false,
            bound_to: None,
        }
    }

    pub(crate) fn kind(&self) -> ReportKind {
        self.encoded.kind
    }

    /// How much of the pending bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.encoded.size()
    }

    /// When it may go out, as far as it goes by itself; `None` before the next slot.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        (!self.in_next_slot).then_some(self.not_before)
    }

    /// The request, with the address and token of `api` and the bytes that were encoded first.
    pub(crate) fn request(
        &self,
        api: &Api,
        key: IdempotencyKey,
    ) -> Result<http::Request<Bytes>, BuildError> {
        let mut request = api.build_request(&PathOnly(&self.encoded.segments))?;
        *request.body_mut() = self.encoded.body.clone();
        key.apply(&mut request);
        Ok(request)
    }
}

/// The path of a report whose body is there already.
struct PathOnly<'a>(&'a [Box<str>]);

impl Saveable for PathOnly<'_> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        self.0
    }
}

impl Serialize for PathOnly<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
