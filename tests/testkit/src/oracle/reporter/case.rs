//! A life of a reporter, as a list of operations that bytes can say.

use std::time::Duration;

use usage_reporter::{Config, PendingLimits, RetryPolicy};

/// A start and what happens after it.
#[derive(Debug, Clone)]
pub struct Case {
    pub(crate) start: Start,
    pub(crate) ops: Vec<Op>,
    pub(crate) end: End,
}

impl Case {
    /// Any bytes are a case: four for the frame, then two for each operation.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (frame, ops) = bytes.split_at(bytes.len().min(4));
        let at = |index: usize| frame.get(index).copied().unwrap_or(0);
        Self {
            start: Start { config: at(0), state: FirstState::from_byte(at(1)), seed: at(2) },
            ops: ops.chunks_exact(2).map(|pair| Op::from_bytes(pair[0], pair[1])).collect(),
            end: End::from_byte(at(3)),
        }
    }
}

/// What the reporter is made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    config: u8,
    pub(crate) state: FirstState,
    pub(crate) seed: u8,
}

impl Start {
    /// The usual one, tight bounds, extremes of time.
    pub(crate) fn config(self) -> Config {
        let second = Duration::from_secs(1);
        match self.config % 6 {
            0 => Config::new(),
            1 => Config::new().pending(PendingLimits::new().items(3).bytes(140)),
            // Shorter than the waits between attempts.
            2 => Config::every(10 * second).pending(PendingLimits::new().items(1)),
            3 => Config::every(3600 * second)
                .jitter(Duration::ZERO)
                .start_spread(Duration::ZERO)
                .retry(RetryPolicy::new().attempts(1)),
            4 => Config::every(86_400 * second)
                .jitter(86_400 * second)
                .start_spread(86_400 * second)
                .retry(RetryPolicy::new().attempts(9).base(second).cap(second)),
            _ => Config::every(Duration::MAX)
                .attempt_timeout(Duration::MAX)
                .collect_timeout(Duration::MAX)
                .start_spread(Duration::MAX)
                .retry(RetryPolicy::new().base(Duration::MAX).cap(Duration::MAX)),
        }
    }
}

/// What the run before has left behind. Tenths are of a period.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FirstState {
    Nothing,
    /// A slot that lies so many tenths ahead, and nothing else.
    Drawn {
        tenths: i32,
    },
    KeyAlone,
    Acknowledged {
        tenths: u32,
        with_key: bool,
    },
    InTheFuture {
        hours: u64,
    },
    AYearAgo,
}

impl FirstState {
    fn from_byte(byte: u8) -> Self {
        match byte % 8 {
            0 | 1 => Self::Nothing,
            2 => Self::Drawn { tenths: i32::from(byte >> 3) - 8 },
            3 => Self::KeyAlone,
            4 | 5 => {
                Self::Acknowledged { tenths: u32::from(byte >> 3) % 14, with_key: byte >> 7 == 1 }
            }
            6 => Self::InTheFuture { hours: u64::from(byte >> 3) * 400 + 1 },
            _ => Self::AYearAgo,
        }
    }
}

/// How the life ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The API recovers, and everything that is pending gets through.
    Healthy,
    /// Nobody answers anything any more, and the schedule goes on.
    Silent,
    /// The program ends.
    Close { seconds: u64 },
}

impl End {
    fn from_byte(byte: u8) -> Self {
        match byte % 4 {
            0 => Self::Silent,
            1 => Self::Close { seconds: u64::from(byte >> 2) },
            _ => Self::Healthy,
        }
    }
}

/// Something that happens to a reporter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    /// One call of `poll`.
    Poll,
    /// `poll` with an instant in the past, as from another thread.
    PollLate {
        seconds: u64,
    },
    /// `poll` until there is nothing to do.
    Drive,
    /// `poll` until there is nothing to do, then wait for as long as it says.
    Sleep,
    /// A host that does its part, at this many wake-ups, in front of an API with one answer.
    Serve {
        outcome: Outcome,
        wakes: u8,
    },
    /// Time passes without a call.
    Pass(Duration),
    /// The wall clock goes on while the other one stands still, and somebody tells.
    MachineSleeps(Duration),
    /// Time passes: sixteenths of the period.
    PassSixteenths(u32),
    Stats {
        size: usize,
    },
    Usage {
        size: usize,
    },
    Register,
    /// Tells the outcome of the attempt in flight, if there is one.
    Answer(Outcome),
    /// Tells the outcome of an attempt of the past, or of none at all.
    StaleAnswer {
        back: u64,
    },
    CollectFailed,
    ReportNow,
    SetApi(u8),
    /// The wall clock is set.
    WallJump {
        hours: i64,
    },
    /// The process ends without a word and starts again after a while.
    Restart {
        pause: Duration,
    },
    /// The process ends at the next state that it would store.
    CrashBeforeStoring,
    Close {
        seconds: u64,
    },
}

impl Op {
    fn from_bytes(code: u8, arg: u8) -> Self {
        let seconds = u64::from(arg);
        match code % 32 {
            0 | 1 => Self::Poll,
            // From a quarter of an hour to eleven days.
            2 => Self::MachineSleeps(Duration::from_secs((seconds + 1) * (seconds + 1) * 15)),
            3 => Self::PollLate { seconds },
            4 | 5 => Self::Drive,
            6..=8 => Self::Sleep,
            9..=13 => Self::Serve { outcome: Outcome::from_byte(arg), wakes: 1 + (arg >> 4) % 8 },
            14 => Self::Pass(Duration::from_millis(seconds * seconds)),
            15 => Self::PassSixteenths(u32::from(arg % 40)),
            16 => Self::Pass(Duration::from_secs(365 * 86_400)),
            17 | 18 => Self::Stats { size: usize::from(arg) / 2 },
            19 | 20 => Self::Usage { size: usize::from(arg) / 2 },
            21 => Self::Register,
            22..=24 => Self::Answer(Outcome::from_byte(arg)),
            25 => Self::StaleAnswer { back: u64::from(arg % 8) },
            26 => Self::CollectFailed,
            27 => Self::ReportNow,
            28 => Self::SetApi(arg),
            29 => Self::WallJump { hours: i64::from(arg.cast_signed()) * 2_000 },
            30 if arg.is_multiple_of(16) => Self::Close { seconds: u64::from(arg) / 4 },
            30 => Self::CrashBeforeStoring,
            _ => Self::Restart { pause: Duration::from_secs(seconds * seconds * 4) },
        }
    }
}

/// What becomes of an attempt, and whether the API has stored the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Saved,
    /// A web page with a status of success, of somebody who is not the API.
    Page,
    /// Stored, and the connection broke before the answer.
    Interrupted,
    Timeout,
    NotConnected,
    Certificate,
    Status(u16),
    /// A status with `Retry-After`, in seconds.
    RetryAfter(u16, u64),
    /// Nothing is ever told.
    Unanswered,
}

impl Outcome {
    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte % 16 {
            2 if byte >> 4 & 1 == 1 => Self::Page,
            0..=2 => Self::Saved,
            3 => Self::Interrupted,
            4 => Self::Timeout,
            5 => Self::NotConnected,
            6 => Self::Certificate,
            // Unknown ones are read by their class (W44).
            7 => Self::Status([503, 507, 522, 599][usize::from(byte >> 4) % 4]),
            8 => Self::Status(500),
            9 => Self::RetryAfter(429, 7),
            10 => Self::RetryAfter(503, 18_000),
            11 => Self::Status(401),
            12 => Self::Status([422, 422, 501, 511][usize::from(byte >> 4) % 4]),
            13 if byte >> 4 < 3 => Self::Status(410),
            13 => Self::Status(302),
            14 => Self::RetryAfter(403, 60),
            _ => Self::Unanswered,
        }
    }

    /// Whether the report is on the API's disk afterwards.
    pub(crate) fn stores(self) -> bool {
        matches!(self, Self::Saved | Self::Interrupted | Self::Unanswered)
    }

    /// Whether the API, or the adapter, says that the same would happen again.
    pub(crate) fn is_final(self) -> bool {
        match self {
            Self::Certificate => true,
            Self::Status(status) | Self::RetryAfter(status, _) => {
                !matches!(status, 429 | 500 | 502 | 503 | 504 | 507 | 522 | 599)
            }
            _ => false,
        }
    }

    pub(crate) fn may_have_arrived(self) -> bool {
        !matches!(self, Self::NotConnected | Self::Certificate | Self::Page)
    }

    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::RetryAfter(_, seconds) => Some(Duration::from_secs(seconds)),
            _ => None,
        }
    }
}
