//! A customer who has opted out wants to be forgotten.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use usage_proto::{Api, Error, Forget, Forgotten, TransportError};

use crate::state::State;
use crate::state::identity::Identity;
use crate::state::to_forget::{self, ToForget};

/// Asks an API to erase what was reported under identities that are given up: without IO, as
/// [`Reporter`](crate::Reporter) is.
///
/// A state gives its identity up when the customer asks ([`asked`](Self::asked)), and keeps it as one
/// that is to be forgotten until the API has done so. A program that reports again meanwhile is another
/// server. Where the API is out of reach it is tried again ([`again`](Self::again)), at the program's
/// starts as a rule: ten times, with pauses of an hour and more, and then not any more unless somebody
/// asks again. A request is the only thing that leaves, with the ids and the token, and it says nothing
/// else.
///
/// ```
/// use std::time::SystemTime;
/// use usage_proto::{Api, BaseUrl};
/// use usage_reporter::{ForgetMe, ForgetOutcome, ForgetStep, Identity, State};
///
/// # // Stands in for a transport, and for what a host does at each of its steps.
/// # fn send(_: http::Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, usage_proto::TransportError> {
/// #     Ok(http::Response::new(bytes::Bytes::from_static(br#"{"reports":3}"#)))
/// # }
/// # fn store(_: &State) {}
/// # fn wall_now() -> SystemTime { SystemTime::UNIX_EPOCH }
/// # let mut state = State::new();
/// # let _ = Identity::single_node(&mut state, [7; 32]);
/// let api = Api::new(BaseUrl::STAGING);
/// let mut forget_me = ForgetMe::asked(api, "tinykv", state, None);
/// let outcome = loop {
///     match forget_me.step(wall_now()) {
///         ForgetStep::Store(state) => store(&state),
///         ForgetStep::Send(request) => match send(request) {
///             Ok(response) => forget_me.on_response(wall_now(), response),
///             Err(error) => forget_me.on_failure(wall_now(), error),
///         },
///         ForgetStep::Done(outcome) => break outcome,
///     }
/// };
/// assert_eq!(outcome, ForgetOutcome::Forgotten { reports: Some(3) });
/// ```
#[derive(Debug)]
pub struct ForgetMe {
    api: Api,
    product: String,
    state: State,
    /// The state has changed since it was handed out.
    unsaved: bool,
    /// The identities that were not looked at yet.
    left: Vec<Identity>,
    on_its_way: Option<Identity>,
    /// To be sent once the state is stored.
    next: Option<Request<Bytes>>,
    so_far: SoFar,
}

/// What is to be done next.
#[derive(Debug)]
pub enum ForgetStep {
    /// Store this state before anything else.
    Store(State),
    /// Send this request, and tell the outcome.
    Send(Request<Bytes>),
    /// There is nothing more to do.
    Done(ForgetOutcome),
}

/// What became of a wish to be forgotten. Its `Display` is a line for the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForgetOutcome {
    /// Nothing was reported under this state since it was forgotten last, or nothing waits to be tried
    /// again. Nothing was sent.
    NothingToForget,
    /// The API has erased what it found, and the identity is gone from here too.
    Forgotten {
        /// How many reports it has erased, if it says so. None (`Some(0)`) is what an API says that has
        /// erased them before; or the reports name other ids, and are still there.
        reports: Option<u64>,
    },
    /// The API was not reached, or could not do it now. The state remembers, and whoever asks
    /// [again](ForgetMe::again) later tries it again.
    Pending {
        /// What happened, on one line; or that its pause is not over.
        why: String,
        /// The API has answered, and refuses as things are: another token or another address may do.
        is_refused: bool,
    },
    /// The API does not know the call, as the original one: it cannot forget. What is left is to ask
    /// its maker, who finds the reports by these ids.
    Unsupported {
        /// The identities, which the state keeps as well.
        identities: Vec<Identity>,
    },
    /// The API refuses, or was not reached so often that it is not tried again. What is left is to ask
    /// [once more](ForgetMe::asked), or to ask its maker.
    GivenUp {
        /// What happened, on one line.
        why: String,
        /// The identities, which the state keeps as well.
        identities: Vec<Identity>,
    },
}

#[derive(Debug)]
struct Pending {
    why: String,
    is_refused: bool,
}

#[derive(Debug, Default)]
struct SoFar {
    forgotten: Option<Forgotten>,
    pending: Option<Pending>,
    unsupported: Vec<Identity>,
    given_up: Option<(String, Vec<Identity>)>,
}

/// # Construct
impl ForgetMe {
    /// The customer asks to be forgotten now. `cluster_id` is that of a product with clusters of its
    /// own, as [`Identity::new`] had it.
    #[must_use]
    pub fn asked(
        api: Api,
        product: impl Into<String>,
        mut state: State,
        cluster_id: Option<&str>,
    ) -> Self {
        let has_changed = state.give_up_identity(cluster_id);
        state.to_forget.iter_mut().for_each(ToForget::ask);
        Self { unsaved: has_changed, ..Self::over(api, product.into(), state) }
    }

    /// One more server, whose ids the state does not keep since the program was told them.
    #[must_use]
    pub fn and_server(
        mut self,
        cluster_id: impl Into<String>,
        server_id: impl Into<String>,
    ) -> Self {
        to_forget::add(&mut self.state.to_forget, cluster_id.into(), server_id.into());
        Self { unsaved: true, ..Self::over(self.api, self.product, self.state) }
    }

    /// Goes on with what was asked for before, and is due: nothing else.
    #[must_use]
    pub fn again(api: Api, product: impl Into<String>, state: State) -> Self {
        Self::over(api, product.into(), state)
    }

    fn over(api: Api, product: String, state: State) -> Self {
        let pending = state.to_forget.iter().filter(|one| one.is_pending());
        let left = pending.rev().map(ToForget::identity).collect();
        let (on_its_way, next, so_far) = Default::default();
        Self { api, product, state, unsaved: false, left, on_its_way, next, so_far }
    }
}

/// # Output
impl ForgetMe {
    /// The requests that would be sent now, byte for byte: what leaves the machine, to be read. Nothing
    /// is to be stored, and nothing comes of it.
    #[must_use]
    pub fn preview(mut self, wall_now: SystemTime) -> Vec<Request<Bytes>> {
        let mut requests = Vec::new();
        loop {
            match self.step(wall_now) {
                ForgetStep::Store(_) => {}
                ForgetStep::Send(request) => requests.push(request),
                ForgetStep::Done(_) => return requests,
            }
        }
    }

    /// What is to be done now. A request whose outcome was not told is taken for one without an answer.
    pub fn step(&mut self, wall_now: SystemTime) -> ForgetStep {
        loop {
            if self.next.is_none()
                && self.on_its_way.is_none()
                && let Some(identity) = self.left.pop()
            {
                self.begin(identity, wall_now);
                continue;
            }
            if self.unsaved {
                self.unsaved = false;
                self.state.unsaved = false;
                return ForgetStep::Store(self.state.clone());
            }
            if let Some(request) = self.next.take() {
                return ForgetStep::Send(request);
            }
            if self.on_its_way.is_none() {
                break;
            }
            self.on_failure(wall_now, TransportError::timeout("the answer was not waited for"));
        }
        ForgetStep::Done(std::mem::take(&mut self.so_far).outcome())
    }

    /// Whether the API has erased what was there, and nothing else is left to be forgotten.
    #[cfg(feature = "state_file")]
    pub(crate) fn has_erased_all(&self) -> bool {
        let has_erased = |forgotten: Forgotten| forgotten.reports != Some(0);
        self.so_far.forgotten.is_some_and(has_erased) && !self.state.has_something_to_forget()
    }

    fn begin(&mut self, identity: Identity, wall_now: SystemTime) {
        let Some(one) = find(&mut self.state, &identity) else { return };
        if !one.is_due(wall_now) {
            let not_yet = || Pending { why: NOT_YET.to_owned(), is_refused: false };
            self.so_far.pending.get_or_insert_with(not_yet);
            return;
        }
        one.begin(wall_now);
        self.unsaved = true;
        let forget = Forget::new(&*self.product)
            .cluster_id(&*identity.cluster_id)
            .server_id(&*identity.server_id);
        match self.api.build_request(&forget) {
            Ok(request) => {
                self.next = Some(request);
                self.on_its_way = Some(identity);
            }
            Err(error) => self.give_up(identity, format!("{error:#}")),
        }
    }
}

const NOT_YET: &str = "it was tried a short while ago";

/// # Input
impl ForgetMe {
    /// The API has answered.
    pub fn on_response(&mut self, wall_now: SystemTime, response: Response<Bytes>) {
        let Some(identity) = self.on_its_way.take() else { return };
        let error = match self.api.parse_forgotten(response) {
            Ok(forgotten) => {
                self.state.to_forget.retain(|one| one.identity() != identity);
                self.unsaved = true;
                self.so_far.forgot(forgotten);
                return;
            }
            Err(error) => error,
        };
        let why = format!("{error:#}");
        // Another token may be known.
        let is_final = error.status.is_client_error()
            && !error.is_retryable()
            && error.status != StatusCode::UNAUTHORIZED;
        if error.is_unknown_call() {
            if let Some(one) = find(&mut self.state, &identity) {
                one.give_up();
            }
            self.unsaved = true;
            self.so_far.unsupported.push(identity);
        } else if is_final {
            self.give_up(identity, why);
        } else {
            self.failed(identity, wall_now, &error.into());
        }
    }

    /// There was no answer.
    pub fn on_failure(&mut self, wall_now: SystemTime, error: TransportError) {
        if let Some(identity) = self.on_its_way.take() {
            self.failed(identity, wall_now, &error.into());
        }
    }

    fn failed(&mut self, identity: Identity, wall_now: SystemTime, error: &Error) {
        let Some(one) = find(&mut self.state, &identity) else { return };
        self.unsaved = true;
        let why = format!("{error:#}");
        if one.failed(wall_now, error.retry_after()) {
            self.so_far.pending = Some(Pending { why, is_refused: is_refusal(error) });
        } else {
            self.give_up(identity, why);
        }
    }

    fn give_up(&mut self, identity: Identity, why: String) {
        if let Some(one) = find(&mut self.state, &identity) {
            one.give_up();
        }
        self.unsaved = true;
        let (_, identities) = self.so_far.given_up.get_or_insert_with(|| (why, Vec::new()));
        identities.push(identity);
    }
}

/// Whether it is an answer that says no, and not that now is not the time.
fn is_refusal(error: &Error) -> bool {
    let Error::Response(error) = error else { return false };
    (error.status.is_client_error() || error.status.is_redirection()) && !error.is_retryable()
}

fn find<'s>(state: &'s mut State, identity: &Identity) -> Option<&'s mut ToForget> {
    state.to_forget.iter_mut().find(|one| one.identity() == *identity)
}

impl SoFar {
    fn forgot(&mut self, mut forgotten: Forgotten) {
        if let Some(before) = self.forgotten {
            let sum = |(one, other): (u64, u64)| one.saturating_add(other);
            forgotten.reports = before.reports.zip(forgotten.reports).map(sum);
        }
        self.forgotten = Some(forgotten);
    }

    /// What somebody has to know comes first.
    fn outcome(self) -> ForgetOutcome {
        match self {
            Self { given_up: Some((why, identities)), .. } => {
                ForgetOutcome::GivenUp { why, identities }
            }
            Self { unsupported, .. } if !unsupported.is_empty() => {
                ForgetOutcome::Unsupported { identities: unsupported }
            }
            Self { pending: Some(Pending { why, is_refused }), .. } => {
                ForgetOutcome::Pending { why, is_refused }
            }
            Self { forgotten: Some(forgotten), .. } => {
                ForgetOutcome::Forgotten { reports: forgotten.reports }
            }
            _ => ForgetOutcome::NothingToForget,
        }
    }
}

impl ForgetOutcome {
    /// For a host that does not wait any longer, or cannot: the state remembers.
    #[must_use]
    pub fn pending(why: impl Into<String>) -> Self {
        Self::Pending { why: why.into(), is_refused: false }
    }
}

impl fmt::Display for ForgetOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToForget => f.write_str("there is nothing to forget: nothing was sent"),
            Self::Forgotten { reports: Some(0) } => f.write_str(
                "nothing was found under these ids, and the Usage API has erased nothing: reports \
                 that name other ids are its maker's to erase",
            ),
            Self::Forgotten { reports: Some(1) } => {
                f.write_str("forgotten: the Usage API has erased 1 report")
            }
            Self::Forgotten { reports: Some(count) } => {
                write!(f, "forgotten: the Usage API has erased {count} reports")
            }
            Self::Forgotten { reports: None } => {
                f.write_str("forgotten: the Usage API has erased what was reported")
            }
            Self::Pending { why, .. } => {
                write!(f, "not forgotten yet, and remembered until it is asked again: {why}")
            }
            Self::Unsupported { identities } => {
                f.write_str("this Usage API cannot forget: ask its maker to erase what ")?;
                list(f, identities)?;
                f.write_str(" has reported")
            }
            Self::GivenUp { why, identities } => {
                f.write_str("not forgotten: ask again, or ask the maker to erase what ")?;
                list(f, identities)?;
                write!(f, " has reported: {why}")
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, identities: &[Identity]) -> fmt::Result {
    for (place, Identity { cluster_id, server_id }) in identities.iter().enumerate() {
        let before = if place == 0 { "" } else { ", " };
        write!(f, "{before}the server {server_id} of the cluster {cluster_id}")?;
    }
    Ok(())
}
