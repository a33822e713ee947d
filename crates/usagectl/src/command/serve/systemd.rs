//! What passes between the server and systemd, where it is started by it.

#[cfg(not(unix))]
pub(super) use self::elsewhere::*;
#[cfg(unix)]
pub(super) use self::unix::*;

#[cfg(unix)]
mod unix {
    use listenfd::ListenFd;
    use sd_notify::NotifyState;
    use usage_server::Listener;

    use crate::failure::Failure;
    use crate::log_thread;

    /// What a socket unit calls the socket for metrics, in `FileDescriptorName=`.
    const METRICS: &str = "metrics";

    /// Not one to take connections from.
    #[derive(Debug, thiserror::Error)]
    #[error(
        "socket {number} of those that systemd hands over takes no connections: name it with \
         ListenStream= in the socket unit, and leave Accept=no"
    )]
    struct WrongSocket {
        number: usize,
    }

    /// The sockets that systemd has opened, and whether they are for metrics; none if it was not
    /// systemd that started this.
    pub(in super::super) fn listeners() -> Result<Vec<(Listener, bool)>, Failure> {
        // These go with the sockets, so that no child takes them for its own.
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        let mut names = names.split(':');
        (0..sockets.len())
            .map(|index| {
                let is_for_metrics = names.next() == Some(METRICS);
                Ok((listener(&mut sockets, index)?, is_for_metrics))
            })
            .collect()
    }

    fn listener(sockets: &mut ListenFd, index: usize) -> Result<Listener, Failure> {
        // A socket of another kind is given back.
        if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
            return Ok(listener.into());
        }
        match sockets.take_unix_listener(index) {
            Ok(Some(listener)) => Ok(listener.into()),
            _ => Err(Failure::server(WrongSocket { number: index + 1 })),
        }
    }

    /// The API answers, or does so again after [`reloading`].
    pub(in super::super) fn ready() {
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is being read again.
    pub(in super::super) fn reloading() {
        // Without the time, which the clock has always, systemd would wait in vain.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// No more requests are taken.
    pub(in super::super) fn stopping() {
        tell(&[NotifyState::Stopping]);
    }

    fn tell(state: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(state) {
            log_thread::line_now(&format!("systemd was not told: {error}"));
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use usage_server::Listener;

    use crate::failure::Failure;

    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(in super::super) fn listeners() -> Result<Vec<(Listener, bool)>, Failure> {
        Ok(Vec::new())
    }

    pub(in super::super) fn ready() {}

    pub(in super::super) fn reloading() {}

    pub(in super::super) fn stopping() {}
}
