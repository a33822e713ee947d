//! A customer who has opted out wants to be forgotten.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{Api, TransportError};
use usage_reporter::{ForgetMe, ForgetOutcome, State, StateFile};

use super::Reporting;
use super::if_due::TIME_IS_OVER;
use super::own_state::Forgetting;
use super::preview::Preview;
use super::start_error::StartError;

/// What no request takes of the time that is left, so that its outcome is stored in time as well; a
/// tenth of it where that is less.
const TO_STORE: Duration = Duration::from_millis(100);

/// Further ahead than anybody waits.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

type Answered = Result<Response<Bytes>, TransportError>;

/// What the customer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// To be forgotten, now.
    New,
    /// What was asked for before, if it is due.
    Before,
}

/// One call of the application's, which does not wait for ever.
#[derive(Debug, Clone)]
struct Call {
    wish: Wish,
    end: Instant,
    /// The state file has the wish.
    is_kept: Arc<AtomicBool>,
}

impl Call {
    fn new(wish: Wish, limit: Duration) -> Self {
        let is_kept = Arc::new(AtomicBool::new(wish == Wish::Before));
        Self { wish, end: Instant::now() + limit.min(YEAR), is_kept }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// How long one request may take: whoever starts to report after this call finds the state file
    /// free, whatever the API does.
    fn left_to_send(&self) -> Duration {
        let left = self.left();
        left.saturating_sub(TO_STORE.min(left / 10))
    }

    /// Neither the disk nor the network holds the program longer than it allows.
    fn on_thread(path: &Path, run: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
        let thread = thread::Builder::new().name("usage-client-forget".to_owned());
        let forgetting = Forgetting::begin(path.to_owned());
        let run = move || {
            run();
            drop(forgetting);
        };
        thread.spawn(run).map(drop).map_err(StartError::Thread)
    }

    /// The outcome when the time is over.
    fn late(&self) -> Result<ForgetOutcome, StartError> {
        if self.is_kept.load(Ordering::Relaxed) {
            return Ok(ForgetOutcome::pending(TIME_IS_OVER));
        }
        Err(StartError::Store("the time was over before that".into()))
    }
}

impl Reporting {
    /// The requests that `forget_me` would send now: none where there is nothing to forget, and one as a
    /// rule. Nothing is sent, and nothing changes. It may be asked while reporting is on.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the state file cannot be read, or if there is no address.
    pub fn preview_forget_me(&self) -> Result<Vec<Preview>, StartError> {
        let api = self.api()?;
        let path = self.state_file.as_deref().ok_or(StartError::NoStateFile)?;
        let Some(state) = StateFile::peek(path)? else { return Ok(Vec::new()) };
        let asked = ForgetMe::asked(api, &*self.product, state, self.cluster_id.as_deref());
        Ok(asked.preview(SystemTime::now()).into_iter().map(Preview::new).collect())
    }
}

#[cfg(feature = "ureq")]
impl Reporting {
    /// Asks the Usage API to erase what this installation has reported: for a customer who has opted
    /// out, and wants to be forgotten. Nothing else leaves, and nothing at all where there is nothing
    /// to forget. It returns within `limit`.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use usage_client::{Reporting, UsageData};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let product = Reporting::new("tinykv", "1.0");
    /// # let running = product.clone().start(UsageData::new)?;
    /// running.stop(Duration::ZERO); // what waits is not sent any more
    /// let outcome = product.setting(Some(false)).forget_me(Duration::from_secs(5))?;
    /// println!("{outcome}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - What is erased is what came under the identity in the state file, with the
    ///   [token](Self::token) of this customer's organisation, or without any.
    /// - The identity is given up with that: a customer who opts in again is another server.
    /// - Until the API has answered, the state file remembers it. An API that is not reached is tried
    ///   again with [`retry_forget_me`](Self::retry_forget_me).
    /// - An API may not know how to forget: [`ForgetOutcome::Unsupported`] has the ids to ask its maker
    ///   with.
    ///
    /// # Errors
    ///
    /// [`StartError::StillOn`] if consent is not off: whoever goes on reporting is not to be forgotten.
    /// [`StateFileError::Locked`](usage_reporter::StateFileError::Locked) if a process reports with this state file, and does so for all of
    /// `limit`. [`StartError::Store`] if the wish could not be stored in that time: nothing was sent.
    pub fn forget_me(&self, limit: Duration) -> Result<ForgetOutcome, StartError> {
        self.forget_on_thread(Wish::New, limit)
    }

    /// Asks again what [`forget_me`](Self::forget_me) has asked, if the API has not answered, and if it
    /// is time to: for the start of a program, before [`start`](Self::start), whether reporting is on
    /// or off. One read of the state file where there is nothing to ask.
    ///
    /// It is tried ten times, with pauses from an hour to a day between them.
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop.
    pub fn retry_forget_me(&self, limit: Duration) -> Result<ForgetOutcome, StartError> {
        self.forget_on_thread(Wish::Before, limit)
    }

    fn forget_on_thread(&self, wish: Wish, limit: Duration) -> Result<ForgetOutcome, StartError> {
        let call = Call::new(wish, limit);
        let (this, of_thread) = (self.clone(), call.clone());
        let (tell, told) = sync_channel(1);
        Call::on_thread(self.state_path(), move || {
            let outcome = this.forget(&of_thread, |api| {
                let client = move |deadlines| {
                    usage_ureq::Client::configured(api.clone(), deadlines, |builder| builder)
                };
                client(this.deadlines).map_err(|error| StartError::Client(error.into()))?;
                let (call, deadlines) = (&of_thread, this.deadlines);
                Ok(move |request| {
                    // The deadline is the client's, and each request has less time than the last.
                    let total = deadlines.total.min(call.left_to_send());
                    let client = client(deadlines.total(total)).map_err(TransportError::connect)?;
                    client.execute(request)
                })
            });
            // Nobody may wait for it any more.
            let _ = tell.send(outcome);
        })?;
        told.recv_timeout(call.left()).unwrap_or_else(|_| call.late())
    }
}

#[cfg(any(feature = "reqwest", feature = "hyper"))]
impl Reporting {
    /// As `forget_me`, on tokio: asks the Usage API to erase what this installation has reported, for
    /// a customer who has opted out and wants to be forgotten. It returns within `limit`.
    ///
    /// What is erased is what came under the identity in the state file, with the
    /// [token](Self::token) of this customer's organisation, or without any. The identity is given up
    /// with that. Until the API has answered, the state file remembers it, and
    /// [`retry_forget_me_on_tokio`](Self::retry_forget_me_on_tokio) asks again.
    ///
    /// # Errors
    ///
    /// [`StartError::StillOn`] if consent is not off: whoever goes on reporting is not to be forgotten.
    /// [`StateFileError::Locked`](usage_reporter::StateFileError::Locked) if a process reports with this state file, and does so for all of
    /// `limit`. [`StartError::Store`] if the wish could not be stored in that time: nothing was sent.
    pub async fn forget_me_on_tokio(&self, limit: Duration) -> Result<ForgetOutcome, StartError> {
        self.forget_on_tokio(Wish::New, limit).await
    }

    /// As `retry_forget_me`, on tokio: asks again what
    /// [`forget_me_on_tokio`](Self::forget_me_on_tokio) has asked, if the API has not answered, and if
    /// it is time to. One read of the state file where there is nothing to ask.
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop.
    pub async fn retry_forget_me_on_tokio(
        &self,
        limit: Duration,
    ) -> Result<ForgetOutcome, StartError> {
        self.forget_on_tokio(Wish::Before, limit).await
    }

    async fn forget_on_tokio(
        &self,
        wish: Wish,
        limit: Duration,
    ) -> Result<ForgetOutcome, StartError> {
        let call = Call::new(wish, limit);
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| usage_reporter::SpawnError::Runtime)?;
        let (this, of_thread) = (self.clone(), call.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        Call::on_thread(self.state_path(), move || {
            let outcome = this.forget(&of_thread, |api| {
                let (mut transport, in_call) = (this.transport(api)?, &of_thread);
                Ok(move |request| {
                    let (answer, answered) = sync_channel(1);
                    let sending = transport(request);
                    // The request belongs to the caller's runtime, and ends with it.
                    let left = in_call.left_to_send();
                    runtime.spawn(async move {
                        let late = |_| Err(TransportError::timeout(TIME_IS_OVER));
                        let outcome = tokio::time::timeout(left, sending).await;
                        drop(answer.send(outcome.unwrap_or_else(late)));
                    });
                    let gone = |_| Err(TransportError::timeout("the runtime has ended"));
                    answered.recv().unwrap_or_else(gone)
                })
            });
            drop(tell.send(outcome));
        })?;
        match tokio::time::timeout(call.left(), told).await {
            Ok(Ok(outcome)) => outcome,
            _ => call.late(),
        }
    }
}

impl Reporting {
    /// Asks, if there is something to ask. `connect` makes what takes a request to the API.
    fn forget<S: FnMut(Request<Bytes>) -> Answered>(
        &self,
        call: &Call,
        connect: impl FnOnce(Api) -> Result<S, StartError>,
    ) -> Result<ForgetOutcome, StartError> {
        let consent = self.consent();
        if call.wish == Wish::New && consent.is_on() {
            return Err(StartError::StillOn(Box::new(consent)));
        }
        let api = self.api()?;
        let path = self.state_file.as_deref().ok_or(StartError::NoStateFile)?;
        // Nothing is made where there is nothing to forget.
        let is_wanted = |state: State| match call.wish {
            Wish::New => state.has_something_to_forget(),
            Wish::Before => state.is_to_be_forgotten(SystemTime::now()),
        };
        if !StateFile::peek(path)?.is_some_and(is_wanted) {
            return Ok(ForgetOutcome::NothingToForget);
        }
        let mut send = connect(api.clone())?;
        let file = self.open_to_forget(path, || call.left())?;
        let state = file.load()?;
        let forget_me = match call.wish {
            Wish::New => ForgetMe::asked(api, &*self.product, state, self.cluster_id.as_deref()),
            Wish::Before => ForgetMe::again(api, &*self.product, state),
        };
        let send = |request| {
            // It is stored before it is sent.
            call.is_kept.store(true, Ordering::Relaxed);
            if call.left().is_zero() {
                return Err(TransportError::timeout(TIME_IS_OVER));
            }
            send(request)
        };
        Ok(file.forget(forget_me, SystemTime::now, send)?)
    }
}
